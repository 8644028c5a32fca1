# The floors of the house, lowest first. A room may use every room of a lower floor, none of its own.
set(FLOORS
  "base"
  "git tar crypto http log"
  "verdict"
  "image scan config"
  "context agent relay engine dockerfile buildkit audit report"
  "build push"
  "cmd")

# The libraries, each included in one folder only (TOML is read in two places). A header prefix, then the room that may
# include it.
set(LIBRARY_ROOMS
  "git2.h=git" "archive.h=tar" "archive_entry.h=tar" "zstd.h=tar" "isa-l=tar" "lzma.h=tar" "brotli/=tar" "lz4.h=tar" "lz4frame.h=tar"
  "bzlib.h=tar" "sqfs/=tar" "zlib.h=git" "openssl/=crypto"
  "curl/=http" "nghttp2/=buildkit" "hs/=scan" "hs.h=scan" "re2/=scan" "toml++/=scan|config" "CLI/=cmd")

# room(NAME [LIBRARIES...]): the static library of lib/NAME, from the sources that lie in the folder.
function(room name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources)
    set(sources ${PROJECT_SOURCE_DIR}/cmake/empty.cpp)
  endif()
  add_library(${name} STATIC ${sources})
  set(below "")
  foreach(floor IN LISTS FLOORS)
    string(REPLACE " " ";" rooms "${floor}")
    if(name IN_LIST rooms)
      break()
    endif()
    list(PREPEND below ${rooms})
  endforeach()
  target_link_libraries(${name} PUBLIC settings ${below} Threads::Threads PRIVATE ${ARGN})
endfunction()
