# The relay: a small static program that runs in the builder, one per platform, embedded in imgbuild
# (embedded.cpp). It has its own compilers and flags: no sanitizer, no exceptions, no libc of the base.
room(relay)

file(GLOB guest_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/relay/guest/*.cpp)
file(GLOB guest_headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/relay/guest/*.hpp)
set(guest_flags -std=c++20 -static -Os -fno-exceptions -fno-rtti -fno-asynchronous-unwind-tables -ffunction-sections
  -fdata-sections -fstack-protector-strong -Wl,--gc-sections,-z,noexecstack -s -Wall -Wextra -Werror)
set(guest_programs "")
foreach(platform amd64=x86_64 arm64=aarch64)
  string(REGEX MATCH "^(.*)=(.*)$" _ ${platform})
  set(architecture ${CMAKE_MATCH_1})
  set(triple ${CMAKE_MATCH_2}-linux-gnu)
  find_program(RELAY_CXX_${architecture} ${triple}-g++)
  if(NOT RELAY_CXX_${architecture})
    message(FATAL_ERROR "no ${triple}-g++ to build the relay for ${architecture} with (Debian: apt-get install g++-${CMAKE_MATCH_2}-linux-gnu)")
  endif()
  set(program ${CMAKE_CURRENT_BINARY_DIR}/relay-${architecture})
  add_custom_command(OUTPUT ${program}
    COMMAND ${RELAY_CXX_${architecture}} ${guest_flags} -I${CMAKE_CURRENT_SOURCE_DIR} ${guest_sources} -o ${program}
    DEPENDS ${guest_sources} ${guest_headers} ${CMAKE_CURRENT_SOURCE_DIR}/relay/wire.hpp
    COMMENT "relay for ${architecture}" VERBATIM)
  list(APPEND guest_programs ${program})
  set_property(SOURCE relay/embedded.cpp APPEND PROPERTY COMPILE_DEFINITIONS RELAY_${architecture}="${program}")
endforeach()
set_property(SOURCE relay/embedded.cpp APPEND PROPERTY OBJECT_DEPENDS "${guest_programs}")
target_sources(relay PRIVATE ${guest_programs})
