#pragma once
#include <sys/types.h>
#include <time.h>

#include <string>
#include <string_view>
#include <vector>

#include "relay/wire.hpp"

/// The relay's own parts. A static program without exceptions: what cannot be done ends it through fail(). One thread.
namespace imgbuild::guest {

using wire::Kind;

// io.cpp: frames over standard input and output.

struct Frame {
  Kind kind{};
  std::uint32_t channel = 0;
  std::string payload;
};

/// Waits for a frame. At the end of the input, or on one that makes no sense, the driver is gone: give_up().
Frame next_frame();
/// Takes what has come without waiting; false at the end of the input.
bool fill_input();
/// The next whole frame of what fill_input() took; false where there is none yet.
bool take_frame(Frame& frame);
/// Queues a frame; flush() or write_some() sends it.
void send(Kind kind, std::uint32_t channel, std::string_view payload);
std::size_t unsent();
void write_some();  ///< without waiting
void flush();       ///< waits until all is sent
/// Reports why and ends the program. errno's text is added where `number` is one.
[[noreturn]] void fail(const std::string& why, int number = 0);
/// The driver is gone: ends every other process, and the program.
[[noreturn]] void give_up();
std::string number_text(unsigned long long value);

// files.cpp

/// Opens the folder `path` below `root` without following a link anywhere, making what is missing.
int open_below(int root, std::string_view path, uid_t uid, gid_t gid);
/// A new file; one that is there already fails.
void write_new(const std::string& path, std::string_view content, mode_t mode, uid_t uid, gid_t gid);
void make_folder(const std::string& path, mode_t mode, uid_t uid, gid_t gid);
/// At most 1 MiB of a file; false where it cannot be read.
bool slurp(const std::string& path, std::string& into);
/// A value that changes with the content of a folder: names, sizes, modes and times of all below it.
std::uint64_t fingerprint_of(const std::string& folder);
void chown_to(int file, const std::string& name, uid_t uid, gid_t gid);

// unpack.cpp

/// Unpacks the driver's canonical tar (ustar; pax path, linkpath and size) below a folder.
class Unpacker {
 public:
  Unpacker(const std::string& folder, uid_t uid, gid_t gid);
  void feed(std::string_view bytes);
  /// Sets the folders' times. Fails where the end mark has not come.
  void finish();

 private:
  struct Folder {
    std::string path;
    mode_t mode;
    long long time;
  };
  void header();
  void extended(std::string_view records);
  void begin(char type, std::string path, const std::string& link, mode_t mode);
  void end_file();

  int root_;
  uid_t uid_;
  gid_t gid_;
  std::string block_;    // of a header that has not come whole
  std::string records_;  // of an extended header
  bool in_records_ = false, ended_ = false;
  int zero_blocks_ = 0;
  unsigned long long left_ = 0, padding_ = 0;
  int file_ = -1;
  long long time_ = 0;
  std::string pax_path_, pax_link_, pax_size_;
  std::string parent_path_;
  int parent_ = -1;
  std::vector<Folder> folders_;
};

// users.cpp

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string home = "/";
  bool known = false;  ///< passwd has the uid
};
/// Whom `user` (NAME, UID, NAME:GROUP, UID:GID; "" is 0) means by the base's passwd and group.
Account find_account(const std::string& folder, std::string_view user);

// cache.cpp

/// The caches of this run: opened, each waited for until no other build has it, given to the script's user.
class Caches {
 public:
  Caches(const std::string& home, const std::vector<std::string>& names, const Account& account);
  /// When nothing runs any more: shows the driver what changed (where `look`), empties what it says must go.
  void settle(bool look);

 private:
  struct Cache {
    std::string name;
    int folder;
  };
  std::vector<Cache> all_;
  timespec since_{};
};

// lent.cpp

/// A file that lies in our folder, and the place in the image where the script finds it.
struct LentFile {
  std::string place, content;
};
/// Lends files at their places. Each must be a file's place: no folder, none of the engine's mounts.
class LentFiles {
 public:
  /// A relative place is in `context`. Folders that are missing are made, and belong to the script's user.
  LentFiles(const std::vector<LentFile>& files, const std::string& context, const Account& account);
  /// When nothing runs any more: every place is made what it was before. Calls `replaced` for each where the script
  /// had put something of its own.
  void take_back(void (*replaced)(const std::string& place));

 private:
  // A change of ours in a folder: undone in reverse.
  struct Change {
    int folder;
    std::string name, place, target;  // `target`: of our link; empty: a folder was made
    std::string aside;                // what was there before lies beside it, so called
    std::string real;                 // where the folder was
    timespec before, after;           // the folder's time of change
  };
  int walk(const std::string& path, const Account& account);
  void put(int folder, const std::string& name, const LentFile& file, const Account& account);
  void take_back(const Change& change, void (*replaced)(const std::string& place));
  std::vector<Change> changes_;
};

// sweep.cpp

struct Left {
  pid_t pid;
  std::string name;
};
/// Kills everything but pid 1 and ourselves (or, without `container`, all that descends from us) until nothing is left,
/// and says what it was. False where something does not die.
bool sweep(bool container, std::vector<Left>& killed);

// run.cpp

/// What the driver set.
struct Settings {
  std::string home, context, accounts = "/etc", user, workdir, script, known_hosts, fingerprints, certificates;
  bool container = false, lend = false, syslog = false;
  std::vector<std::string> base_env, env, arguments, volumes, caches;
  bool look_at_caches = false;
  std::vector<LentFile> lent;
};
/// Sets the stage, runs the script, ends what it left and reports. Returns the program's exit status.
int run(Settings& settings, const Account& account);

// tell.cpp

/// Another relay, when the script has ended: takes a path and tells what is there.
int tell();

// serve.cpp

/// A relay that serves files, for as long as somebody asks. Returns the program's exit status.
int serve();

// ssh.cpp

/// `ssh` first on PATH: the base's own, held to the pinned known_hosts. Returns where it cannot be run.
int ssh(char** argv);
/// KnownHostsCommand: prints the known_hosts line of a key that was granted by its fingerprint.
int known_host(int argc, char** argv);

}  // namespace imgbuild::guest
