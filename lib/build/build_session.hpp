#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.hpp"
#include "base/stream.hpp"
#include "build/build.hpp"
#include "buildkit/grpc.hpp"
#include "image/login.hpp"
#include "relay/clients.hpp"

namespace imgbuild {

/// What a build by Dockerfile may ask of us while it runs.
struct Lent {
  Gateway* gateway = nullptr;                          ///< the agent, where hosts are granted; may be null
  const std::vector<HandedSecret>* secrets = nullptr;  ///< never null
  std::map<std::string, std::string> files;            ///< "known_hosts"...: secrets too, where no other is called so
  std::vector<GitToken> git_tokens;                    ///< for BuildKit's own git: git_login()
  std::function<Login(const std::string& host)> login;
};

/// Our side of a BuildKit session, on a thread of its own from the constructor to the destructor: secrets and logins
/// are answered by id and host, each connection to the agent socket in a RUN is a client of the gateway of its own, and
/// the context is sent. When it fails the connection is closed, which ends the build.
class BuildSession {
 public:
  /// The methods that the engine may call.
  static std::vector<std::string> methods(const Lent& lent);
  /// `tar`: the context, `size` bytes from its beginning. All that is referred to must outlive this.
  BuildSession(std::unique_ptr<Stream> session, std::unique_ptr<Stream> upload, int tar, std::uint64_t size, Lent lent);
  BuildSession(const BuildSession&) = delete;
  BuildSession& operator=(const BuildSession&) = delete;
  /// Closes the gateway first: an answer that waits for the agent ends with it.
  ~BuildSession();

  /// Why the session failed; empty where it did not. Any thread.
  std::string failure() const;
  /// What was asked for and could not be given: lines for the user. Any thread.
  std::vector<std::string> warnings() const;

 private:
  enum class Kind { once, agent };
  struct Call {
    std::string method;
    Kind kind = Kind::once;
  };
  void serve() noexcept;
  void opened(std::uint32_t call, const std::string& method);
  void asked(std::uint32_t call, View message);
  void give_secret(std::uint32_t call, View message);
  void give_login(std::uint32_t call, View message);
  void take_answers();
  bool take_session();
  bool send_session();
  bool send_context();
  void warn(const std::string& line);

  std::unique_ptr<Stream> session_, upload_;
  int tar_;
  std::uint64_t size_, at_ = 0;
  Bytes piece_;  // of the tar, not yet sent
  std::string upload_answer_;
  Lent lent_;
  RelayClients clients_;
  std::map<std::uint32_t, Call> calls_;
  std::unique_ptr<GrpcServer> server_;
  Fd stop_;

  mutable std::mutex mutex_;
  std::string failure_;
  std::vector<std::string> warnings_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace imgbuild
