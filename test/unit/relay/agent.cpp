// The agent socket: the real relay, a real client, and an agent that answers what it is asked.
#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "relay_here.hpp"

using namespace imgbuild;

namespace {
// A client of the agent socket in the script: python stands on every build machine.
const std::string client =
    "import os,socket,sys\n"
    "def connect():\n"
    "  s=socket.socket(socket.AF_UNIX); s.connect(os.environ['SSH_AUTH_SOCK']); return s\n"
    "def whole(s,n):\n"
    "  b=b''\n"
    "  while len(b)<n:\n"
    "    p=s.recv(65536)\n"
    "    if not p: break\n"
    "    b+=p\n"
    "  return b\n";
std::string python(const std::string& code) { return "#!/usr/bin/python3\n" + client + code; }

struct Lent : RelayHere {
  Lent() {
    task.lend = true;
    events.client = [this] {
      ++clients;
      return [](View bytes) { return Bytes(bytes.rbegin(), bytes.rend()); };
    };
  }
  std::atomic<int> clients{0};
};
}  // namespace

TEST_CASE("each client of the agent socket has a conversation of its own") {
  Lent relay;
  const RelayResult result =
      relay.run(python("a,b=connect(),connect()\n"
                       "a.send(b'abc'); b.send(b'xyz')\n"
                       "print(whole(b,3).decode(), whole(a,3).decode())\n"
                       "a.send(b'12'); print(whole(a,2).decode())\n"));
  CHECK(relay.err.empty());
  CHECK(result.status == 0);
  CHECK(relay.out == "zyx cba\n21\n");
  CHECK(relay.clients == 2);
}

TEST_CASE("the agent socket is for the script's user only, and plain when nothing is lent is absent") {
  Lent relay;
  relay.run("stat -c %a $SSH_AUTH_SOCK $(dirname $SSH_AUTH_SOCK); echo $GIT_SSH_COMMAND");
  CHECK(relay.out == "600\n700\n" + relay.home() + "/bin/ssh\n");
  RelayHere without;
  without.run("echo ${SSH_AUTH_SOCK-none} ${GIT_SSH_COMMAND-none}");
  CHECK(without.out == "none none\n");
}

TEST_CASE("a client whose answer fails is dropped, the others live on") {
  Lent relay;
  relay.events.client = [n = 0]() mutable -> AgentAnswer {
    if (n++ == 0) return [](View) -> Bytes { throw Error("upstream gone"); };
    return [](View bytes) { return Bytes(bytes.begin(), bytes.end()); };
  };
  relay.run(python("a=connect(); a.send(b'x'); print(whole(a,1))\nb=connect(); b.send(b'y'); print(whole(b,1))\n"));
  CHECK(relay.out == "b''\nb'y'\n");
}

TEST_CASE("a client that sends without end and never reads is dropped, and the build goes on") {
  Lent relay;
  const RelayResult result =
      relay.run(python("a=connect()\n"
                       "try:\n"
                       "  for i in range(2000): a.sendall(b'x'*65536)\n"
                       "  print('never dropped')\n"
                       "except OSError: print('dropped')\n"
                       "b=connect(); b.send(b'still'); print(whole(b,5).decode())\n"));
  CHECK(result.status == 0);
  CHECK(relay.out == "dropped\nllits\n");
}

TEST_CASE("an answer that takes its time does not hold up output or other clients") {
  Lent relay;
  std::atomic<bool> release{false};
  relay.events.client = [&, n = 0]() mutable -> AgentAnswer {
    const bool slow = n++ == 0;
    return [&release, slow](View bytes) {
      while (slow && !release) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      return Bytes(bytes.begin(), bytes.end());
    };
  };
  relay.events.output = [&](std::string_view text) {
    relay.out += text;
    if (relay.out.find("other") != std::string::npos) release = true;
  };
  relay.run(
      python("a=connect(); a.send(b's'); b=connect(); b.send(b'q'); whole(b,1); print('other',flush=True)\n"
             "whole(a,1); print('slow')\n"));
  CHECK(relay.out == "other\nslow\n");
}

TEST_CASE("many clients at once are all answered") {
  Lent relay;
  relay.run(
      python("all=[connect() for i in range(100)]\n"
             "for i,s in enumerate(all):\n"
             "  s.send(b'%03d'%i); assert whole(s,3)==(b'%03d'%i)[::-1]; s.close()\n"
             "print('done')\n"));
  CHECK(relay.out == "done\n");
  CHECK(relay.clients == 100);
}

TEST_CASE("ssh in the builder is the base's own, held to the pinned hosts") {
  Lent relay;
  const std::string bin = relay.path() + "/usr-bin";
  std::filesystem::create_directory(bin);
  std::ofstream(bin + "/ssh") << "#!/bin/sh\nfor word; do echo \"$word\"; done\n";
  std::filesystem::permissions(bin + "/ssh", std::filesystem::perms(0755));
  relay.task.base_env = {"PATH=" + bin + ":/usr/bin:/bin"};
  relay.task.known_hosts = "git.example ssh-ed25519 AAAA\n";
  const std::string pinned = "-o\nUserKnownHostsFile=" + relay.home() +
                             "/known_hosts\n-o\nGlobalKnownHostsFile=/dev/null\n-o\nStrictHostKeyChecking=yes\n";
  SECTION("by known_hosts lines") {
    relay.run("ssh -p 22 git@git.example; cat $(dirname $BUILD_SECRETS)/known_hosts");
    CHECK(relay.out == pinned + "-p\n22\ngit@git.example\ngit.example ssh-ed25519 AAAA\n");
  }
  SECTION("by a fingerprint alone") {
    relay.task.fingerprints = {{"git.example", "SHA256:abc"}, {"[other]:2222", "SHA256:def"}};
    const std::string ask = "$(dirname $BUILD_SECRETS)/relay known-host ";
    relay.run("ssh git.example; " + ask + "git.example NONE NONE NONE; " + ask +
              "git.example ssh-rsa KEY SHA256:abc; " + ask + "git.example ssh-rsa KEY SHA256:def; " + ask +
              "'[other]:2222' ssh-rsa KEY2 SHA256:def; " + ask + "it.example ssh-rsa KEY SHA256:abc");
    CHECK(relay.out ==
          pinned + "-o\nKnownHostsCommand=" + relay.home() +
              "/relay known-host %H %t %K %f\ngit.example\ngit.example ssh-rsa KEY\n[other]:2222 ssh-rsa KEY2\n");
  }
}
