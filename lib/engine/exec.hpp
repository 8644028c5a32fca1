#pragma once
#include <memory>
#include <string>

#include "engine/api.hpp"
#include "engine/demux.hpp"
#include "engine/engine.hpp"

namespace imgbuild {

/// An exec over a hijacked connection. The Api must outlive it.
class EngineExec : public Exec {
 public:
  EngineExec(Api& api, std::string id, std::unique_ptr<Stream> connection)
      : api_(api), id_(std::move(id)), connection_(std::move(connection)) {}

  int fd() const override { return connection_->fd(); }
  std::optional<std::size_t> read(std::span<std::uint8_t> into) override;
  std::size_t write(View bytes) override;
  const std::string& errors() const override { return demux_.errors(); }
  int exit_code() override;

 private:
  Api& api_;
  std::string id_;
  std::unique_ptr<Stream> connection_;
  Demux demux_;
  Bytes output_;  // taken apart, not yet read
  std::size_t at_ = 0;
};

}  // namespace imgbuild
