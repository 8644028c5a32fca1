// The relay: what of imgbuild runs in the builder. Static, because the base may have any libc or none. It takes the
// context, the secrets and the script over standard input, runs the script as its user, carries its output and its
// connections to the agent, and leaves nothing running behind (design: "Run").
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/guest/guest.hpp"

// What libstdc++ would throw ends the program: exceptions and all that they link would double its size.
namespace std {
void __throw_length_error(const char*) { ::abort(); }
void __throw_logic_error(const char*) { ::abort(); }
void __throw_bad_alloc() { ::abort(); }
void __throw_bad_array_new_length() { ::abort(); }
void __throw_out_of_range_fmt(const char*, ...) { ::abort(); }
}  // namespace std

void* operator new(std::size_t size) {
  void* at = ::malloc(size > 0 ? size : 1);
  if (at == nullptr) ::abort();
  return at;
}
void operator delete(void* at) noexcept { ::free(at); }
void operator delete(void* at, std::size_t) noexcept { ::free(at); }

namespace imgbuild::guest {
namespace {

bool simple_name(std::string_view name) {
  return !name.empty() && name[0] != '.' && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

int relay() {
  ::umask(022);
  send(Kind::hello, 0, wire::version);
  flush();

  Settings settings;
  Frame frame;
  // The accounts come first: what follows is made to belong to the script's user.
  for (frame = next_frame(); frame.kind < Kind::user; frame = next_frame()) {
    if (frame.kind == Kind::home) settings.home = frame.payload;
    if (frame.kind == Kind::context) settings.context = frame.payload;
    if (frame.kind == Kind::accounts) settings.accounts = frame.payload;
    if (frame.kind == Kind::container) settings.container = true;
  }
  if (frame.kind == Kind::user) settings.user = frame.payload;
  const Account account = find_account(settings.accounts, settings.user);

  make_folder(settings.home + "/secrets", 0700, account.uid, account.gid);
  const int folder = ::open(settings.context.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) fail(settings.context, errno);
  chown_to(folder, settings.context, account.uid, account.gid);
  ::close(folder);
  Unpacker context(settings.context, account.uid, account.gid);

  std::string secret_path, secret;
  mode_t secret_mode = 0;
  const auto keep_secret = [&] {
    if (!secret_path.empty()) write_new(secret_path, secret, secret_mode, account.uid, account.gid);
    ::explicit_bzero(secret.data(), secret.size());
    secret.clear();
  };
  for (frame = next_frame(); frame.kind != Kind::run; frame = next_frame()) {
    switch (frame.kind) {
      case Kind::workdir:
        settings.workdir = frame.payload;
        break;
      case Kind::base_env:
        settings.base_env.push_back(frame.payload);
        break;
      case Kind::env:
        settings.env.push_back(frame.payload);
        break;
      case Kind::argument:
        settings.arguments.push_back(frame.payload);
        break;
      case Kind::script:
        settings.script += frame.payload;
        break;
      case Kind::lend:
        settings.lend = true;
        break;
      case Kind::known_hosts:
        settings.known_hosts += frame.payload;
        break;
      case Kind::fingerprint:
        settings.fingerprints += frame.payload + "\n";
        break;
      case Kind::secret:
        keep_secret();
        if (!simple_name(frame.payload)) fail("a secret's id must be a simple name");
        secret_path = settings.home + "/secrets/" + frame.payload;
        secret_mode = 0400;
        break;
      case Kind::lent_file: {
        keep_secret();
        if (settings.lent.empty()) make_folder(settings.home + "/files", 0755, ::geteuid(), ::getegid());
        secret_path = settings.home + "/files/" + number_text(settings.lent.size());
        char* end = nullptr;
        secret_mode = static_cast<mode_t>(::strtoul(frame.payload.c_str(), &end, 8) & 0777);
        settings.lent.push_back({*end == ' ' ? end + 1 : "", secret_path});
        break;
      }
      case Kind::secret_bytes:
      case Kind::lent_bytes:
        secret += frame.payload;
        ::explicit_bzero(frame.payload.data(), frame.payload.size());
        break;
      case Kind::volume:
        settings.volumes.push_back(frame.payload);
        break;
      case Kind::cache:
        settings.caches.push_back(frame.payload);
        if (!simple_name(frame.payload)) fail("a cache's name must be a simple one");
        break;
      case Kind::look_at_caches:
        settings.look_at_caches = true;
        break;
      case Kind::certificates:
        settings.certificates += frame.payload;
        break;
      case Kind::syslog:
        settings.syslog = true;
        break;
      case Kind::tar:
        context.feed(frame.payload);
        break;
      default:
        give_up();
    }
  }
  keep_secret();
  context.finish();
  return run(settings, account);
}

}  // namespace
}  // namespace imgbuild::guest

int main(int argc, char** argv) {
  const std::string_view called = argc > 0 ? argv[0] : "";
  if (called == "ssh" || (called.size() > 4 && called.substr(called.size() - 4) == "/ssh"))
    return imgbuild::guest::ssh(argv);
  if (argc > 1 && std::string_view(argv[1]) == "known-host") return imgbuild::guest::known_host(argc, argv);
  ::signal(SIGPIPE, SIG_IGN);
  for (const int end : {STDIN_FILENO, STDOUT_FILENO}) ::fcntl(end, F_SETFL, ::fcntl(end, F_GETFL) | O_NONBLOCK);
  if (argc > 1 && std::string_view(argv[1]) == "tell") return imgbuild::guest::tell();
  if (argc > 1 && std::string_view(argv[1]) == "serve") return imgbuild::guest::serve();
  return imgbuild::guest::relay();
}
