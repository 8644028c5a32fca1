#pragma once
#include "build/build.hpp"

namespace imgbuild {

/// build() where the plan has a Dockerfile: stage, lend, let the engine's own builder build, audit, name.
Outcome build_by_dockerfile(Plan& plan, Engine& engine, const std::shared_ptr<const Scanner>& scanner, Vault& vault,
                            const BuildTalk& talk);

}  // namespace imgbuild
