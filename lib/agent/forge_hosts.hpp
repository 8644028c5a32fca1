#pragma once
#include "agent/known_hosts.hpp"

namespace imgbuild {

/// The host keys of the great forges, for machines on which no known_hosts file knows them (a fresh CI runner). Each
/// stands beside the page on which the forge publishes its fingerprint. Made at the first call; any thread.
const KnownHosts& forge_hosts();

}  // namespace imgbuild
