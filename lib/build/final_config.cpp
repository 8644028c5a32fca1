#include "build/final_config.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/utc.hpp"

namespace imgbuild {
namespace {

using Ordered = nlohmann::ordered_json;

Ordered& object_at(Ordered& in, const char* name) {
  Ordered& at = in[name];
  if (!at.is_object()) at = Ordered::object();
  return at;
}

void set_labels(Ordered& config, const std::vector<std::string>& labels) {
  for (const std::string& label : labels) {
    const std::size_t equals = label.find('=');
    object_at(config, "Labels")[label.substr(0, equals)] =
        equals == std::string::npos ? std::string() : label.substr(equals + 1);
  }
}

// A variable keeps its place in the list.
void set_env(Ordered& config, const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    Ordered& env = config["Env"];
    if (!env.is_array()) env = Ordered::array();
    const std::string name = entry.substr(0, entry.find('=')) + "=";
    bool replaced = false;
    for (Ordered& old : env)
      if (old.is_string() && old.get_ref<const std::string&>().starts_with(name)) {
        old = entry;
        replaced = true;
      }
    if (!replaced) env.push_back(entry);
  }
}

void set_ports(Ordered& config, const std::vector<std::string>& ports) {
  for (const std::string& port : ports)
    object_at(config, "ExposedPorts")[port.find('/') == std::string::npos ? port + "/tcp" : port] = Ordered::object();
}

// RFC 3339, with a fraction where there is one.
std::string shown(const timespec& time) {
  char fraction[16] = "";
  if (time.tv_nsec != 0) std::snprintf(fraction, sizeof fraction, ".%09ld", time.tv_nsec);
  return utc(time.tv_sec, "%Y-%m-%dT%H:%M:%S") + fraction + "Z";
}

// Engines refuse a history that counts other layers than there are: a base without lines for its layers gets some.
void fill_history(Ordered& history, std::size_t layers) {
  if (!history.is_array()) history = Ordered::array();
  std::size_t told = 0;
  for (const Ordered& line : history)
    if (!line.is_object() || !line.value("empty_layer", false)) ++told;
  for (; told < layers; ++told) history.push_back({{"created_by", ""}, {"comment", "a layer of the base"}});
}

}  // namespace

std::string final_config(const ImageConfig& base, const std::vector<std::string>& diff_ids, const Plan& plan,
                         const timespec& created) {
  const std::size_t before = base.diff_ids.size();
  if (diff_ids.size() < before || diff_ids.size() > before + 1 ||
      !std::equal(base.diff_ids.begin(), base.diff_ids.end(), diff_ids.begin()))
    throw Error("the engine committed other layers than the base's and one more");

  try {
    Ordered image = Ordered::parse(base.raw);
    const std::string time = shown(created);
    image["created"] = time;
    Ordered& config = object_at(image, "config");
    if (plan.image_cmd) config["Cmd"] = *plan.image_cmd;
    if (plan.image_entrypoint) config["Entrypoint"] = *plan.image_entrypoint;
    if (plan.image_user) config["User"] = *plan.image_user;
    if (plan.image_workdir) config["WorkingDir"] = *plan.image_workdir;
    set_env(config, plan.image_env);
    set_labels(config, plan.image_labels);
    set_ports(config, plan.expose);

    image["rootfs"]["diff_ids"] = diff_ids;
    Ordered& history = image["history"];
    fill_history(history, before);
    Ordered line = {{"created", time}, {"created_by", "imgbuild build"}};
    if (diff_ids.size() == before) line["empty_layer"] = true;
    history.push_back(std::move(line));
    return image.dump();
  } catch (const nlohmann::json::exception&) {
    throw Error("the image's config cannot be written", "is a flag's value no UTF-8 text?");
  }
}

std::string builder_config(const ImageConfig& base, const std::vector<std::string>& keep,
                           const std::map<std::string, std::string>& labels) {
  Ordered image = Ordered::parse(base.raw);
  Ordered& config = object_at(image, "config");
  Ordered volumes = Ordered::object();
  for (const std::string& path : keep) volumes[path] = Ordered::object();
  config["Volumes"] = std::move(volumes);
  for (const auto& [name, value] : labels) object_at(config, "Labels")[name] = value;
  fill_history(image["history"], base.diff_ids.size());
  return image.dump();
}

timespec time_of_creation() {
  timespec time{};
  const char* set = std::getenv("SOURCE_DATE_EPOCH");
  if (set == nullptr || *set == '\0') {
    ::clock_gettime(CLOCK_REALTIME, &time);
    return time;
  }
  char* end = nullptr;
  const long long seconds = std::strtoll(set, &end, 10);
  if (*end != '\0' || seconds < 0 || seconds > 253402300799) throw usage_error("SOURCE_DATE_EPOCH is no time");
  time.tv_sec = static_cast<std::time_t>(seconds);
  return time;
}

}  // namespace imgbuild
