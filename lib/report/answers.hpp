#pragma once
#include <vector>

#include "report/report.hpp"
#include "scan/vault.hpp"

namespace imgbuild {

/// Which allow-entries did not do what their author may think: those that name a leak of these images but expired (the
/// leak then says so in its `why`), and those that name nothing that was found. Values that the vault does not know fit
/// no entry.
std::vector<AllowRemark> remarks_on(const Policy& policy, std::vector<ImageRecord>& images, const Vault& vault);

}  // namespace imgbuild
