#pragma once
#include <memory>

#include "http/transfer.hpp"

namespace imgbuild {

/// Sends the request over a connection that curl only opened, reads the answer's head, and hands the connection over.
Hijacked hijack_connection(std::unique_ptr<HttpTransfer> connection, const HttpRequest& request,
                           const HttpEndpoint& endpoint);

/// Sends the request's head over such a connection, and hands it over at once.
std::unique_ptr<Stream> begin_request(std::unique_ptr<HttpTransfer> connection, const HttpRequest& request,
                                      const HttpEndpoint& endpoint);

}  // namespace imgbuild
