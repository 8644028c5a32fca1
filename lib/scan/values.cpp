// Looks for exact values. Each form of each value is a literal; Hyperscan's literal matcher takes thousands of them at
// the speed of one. A form of more than 48 bytes is looked for by its first 48 and then compared.
#include <hs/hs.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>

#include "base/error.hpp"
#include "base/owned.hpp"
#include "scan/forms.hpp"
#include "scan/vault.hpp"

namespace imgbuild {
namespace {

constexpr std::size_t most_literal = 48;

struct Needle {
  Secret text;
  const char* form;
  std::size_t part;  // of the vault
};

}  // namespace

struct ValueMatcher::Inside {
  struct Named {
    std::string name;
    Identity identity;
  };
  std::vector<Named> parts;
  std::vector<Needle> needles;                       // sorted by text
  std::vector<std::vector<std::size_t>> by_literal;  // of Hyperscan's ids: the needles that begin with it
  std::vector<std::size_t> widths;                   // of the literals
  std::size_t longest = 0;
  Owned<hs_database_t, hs_free_database> database;

  std::mutex mutex;
  std::vector<Owned<hs_scratch_t, hs_free_scratch>> spare;

  Owned<hs_scratch_t, hs_free_scratch> borrow() {
    {
      const std::lock_guard hold(mutex);
      if (!spare.empty()) {
        auto scratch = std::move(spare.back());
        spare.pop_back();
        return scratch;
      }
    }
    Owned<hs_scratch_t, hs_free_scratch> scratch;
    if (hs_alloc_scratch(database.get(), out(scratch)) != HS_SUCCESS) throw std::bad_alloc();
    return scratch;
  }
};

namespace {

struct Search {
  const std::vector<Needle>& needles;
  const std::vector<std::vector<std::size_t>>& by_literal;
  const std::vector<std::size_t>& widths;
  View text;
  std::size_t base;
  std::vector<std::pair<std::size_t, std::size_t>> found;  // position, needle
  std::exception_ptr failure;
};

extern "C" int imgbuild_on_value(unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
  auto& search = *static_cast<Search*>(context);
  try {
    const std::size_t at = search.base + static_cast<std::size_t>(to) - search.widths[id];
    for (const std::size_t n : search.by_literal[id]) {
      const std::string_view text = search.needles[n].text.reveal();
      if (text.size() <= search.text.size() - at && std::memcmp(search.text.data() + at, text.data(), text.size()) == 0)
        search.found.emplace_back(at, n);
    }
    return 0;
  } catch (...) {
    search.failure = std::current_exception();
    return 1;
  }
}

}  // namespace

ValueMatcher::ValueMatcher(const Vault& vault, std::vector<Origin> origins) : inside_(std::make_unique<Inside>()) {
  Inside& in = *inside_;
  for (const auto& part : vault.parts()) {
    if (std::find(origins.begin(), origins.end(), part.origin) == origins.end()) continue;
    in.parts.push_back({part.name, part.identity});
    auto forms = forms_of(part.value);
    // What was found in an image stands there as it is; only what we handed out goes through a script's hands.
    if (part.origin == Origin::found && forms.size() > 1)
      forms.erase(std::remove_if(forms.begin() + 1, forms.end(),
                                 [](const Form& form) { return std::string_view(form.name) != "json"; }),
                  forms.end());
    for (auto& form : forms) {
      in.needles.push_back({Secret(form.text), form.name, in.parts.size() - 1});
      in.longest = std::max(in.longest, form.text.size());
      wipe(form.text.data(), form.text.size());
    }
  }
  std::sort(in.needles.begin(), in.needles.end(),
            [](const Needle& a, const Needle& b) { return a.text.reveal() < b.text.reveal(); });
  std::vector<const char*> texts;
  std::vector<unsigned> flags, ids;
  std::string_view last;
  for (std::size_t n = 0; n < in.needles.size(); ++n) {
    const std::string_view literal = in.needles[n].text.reveal().substr(0, most_literal);
    if (texts.empty() || literal != last) {
      last = literal;
      texts.push_back(literal.data());
      flags.push_back(0);
      ids.push_back(static_cast<unsigned>(ids.size()));
      in.widths.push_back(literal.size());
      in.by_literal.emplace_back();
    }
    in.by_literal.back().push_back(n);
  }
  if (texts.empty()) return;
  hs_database_t* made = nullptr;
  hs_compile_error_t* wrong = nullptr;
  if (hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), in.widths.data(),
                           static_cast<unsigned>(texts.size()), HS_MODE_BLOCK, nullptr, &made, &wrong) != HS_SUCCESS) {
    hs_free_compile_error(wrong);  // its text may quote a literal
    throw Error("the values to look for do not compile");
  }
  in.database.reset(made);
}

ValueMatcher::~ValueMatcher() = default;

bool ValueMatcher::empty() const { return inside_->needles.empty(); }
std::size_t ValueMatcher::longest() const { return inside_->longest; }

std::vector<ValueMatcher::Match> ValueMatcher::find(View text) const {
  if (empty()) return {};
  Inside& in = *inside_;
  Search search{in.needles, in.by_literal, in.widths, text, 0, {}, nullptr};
  auto scratch = in.borrow();
  // Hyperscan takes 4 GiB at a time; a literal may stand across two steps.
  constexpr std::size_t step = std::size_t{1} << 30;
  hs_error_t status = HS_SUCCESS;
  for (std::size_t at = 0; at < text.size() && status == HS_SUCCESS; at += step) {
    search.base = at;
    const std::size_t length = std::min(text.size() - at, step + most_literal - 1);
    status = hs_scan(in.database.get(), reinterpret_cast<const char*>(text.data()) + at, static_cast<unsigned>(length),
                     0, scratch.get(), imgbuild_on_value, &search);
  }
  {
    const std::lock_guard hold(in.mutex);
    in.spare.push_back(std::move(scratch));
  }
  if (search.failure) std::rethrow_exception(search.failure);
  if (status != HS_SUCCESS) throw Error("hyperscan failed with " + std::to_string(status));
  std::sort(search.found.begin(), search.found.end());
  search.found.erase(std::unique(search.found.begin(), search.found.end()), search.found.end());
  std::vector<Match> out;
  out.reserve(search.found.size());
  for (const auto& [at, n] : search.found) {
    const auto& part = in.parts[in.needles[n].part];
    out.push_back({at, at + in.needles[n].text.reveal().size(), part.name, in.needles[n].form, part.identity});
  }
  return out;
}

std::size_t ValueMatcher::held_back(std::string_view text) const {
  const auto& needles = inside_->needles;
  const std::size_t most = std::min(text.size(), inside_->longest - std::min<std::size_t>(inside_->longest, 1));
  for (std::size_t length = most; length > 0; --length) {
    const std::string_view tail = text.substr(text.size() - length);
    const auto at =
        std::lower_bound(needles.begin(), needles.end(), tail,
                         [](const Needle& needle, std::string_view value) { return needle.text.reveal() < value; });
    // The first needle that is not less: it begins with the tail if any does. The tail itself is no beginning.
    for (auto needle = at; needle != needles.end() && needle->text.reveal().substr(0, length) == tail; ++needle)
      if (needle->text.reveal().size() > length) return length;
  }
  return 0;
}

}  // namespace imgbuild
