#pragma once
#include <string>

namespace imgbuild {

/// This machine's platform in the words of images: "linux/amd64", "linux/arm64/v8", "linux/arm/v7".
std::string host_platform();

/// Does an image for platform `has` serve who wants `wanted`? "linux/arm64" wants any variant; "linux/arm64/v8" is what
/// an image without a variant is. An empty `wanted` takes any.
bool platform_fits(const std::string& has, const std::string& wanted);

}  // namespace imgbuild
