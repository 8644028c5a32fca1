#pragma once
#include <memory>

namespace imgbuild {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* handle) const noexcept {
    Free(handle);
  }
};

/// A handle of a C library, freed by its own function: Owned<git_tree, git_tree_free>.
template <class T, auto Free>
using Owned = std::unique_ptr<T, FreeWith<Free>>;

/// Lets C fill in an Owned through a T**: git_tree_lookup(out(tree), ...). What it held before is freed.
template <class Pointer>
class Out {
 public:
  explicit Out(Pointer& owner) : owner_(owner) {}
  Out(const Out&) = delete;
  Out& operator=(const Out&) = delete;
  ~Out() { owner_.reset(raw_); }
  operator typename Pointer::pointer *() noexcept { return &raw_; }  // NOLINT(google-explicit-constructor)

 private:
  Pointer& owner_;
  typename Pointer::pointer raw_ = nullptr;
};

template <class Pointer>
Out<Pointer> out(Pointer& owner) {
  return Out<Pointer>(owner);
}

}  // namespace imgbuild
