# The scanner, and beside it the knowledge of scrubbers/ compiled in.
#
# rulec is the part of the room that knows what rules are, as a program: it runs at build time over scrubbers/ and makes
# the source that the room is completed with.
room(scan PkgConfig::HS PkgConfig::RE2 PkgConfig::TOML)

file(GLOB proofs CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/scan/proof*.cpp)
add_executable(rulec scan/compiler/main.cpp scan/rule.cpp scan/pattern.cpp scan/anchors.cpp scan/words.cpp scan/word_windows.cpp scan/pack.cpp
  scan/assignment.cpp scan/lookup.cpp scan/pairs.cpp scan/quoting.cpp scan/gitleaks.cpp scan/except.cpp scan/wordlike.cpp scan/globs.cpp scan/written_lines.cpp ${proofs})
target_link_libraries(rulec PRIVATE settings verdict crypto base PkgConfig::RE2 PkgConfig::TOML)

file(GLOB families CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/scrubbers/*.toml)
set(knowledge ${CMAKE_CURRENT_BINARY_DIR}/knowledge)
add_custom_command(OUTPUT ${knowledge}.cpp ${knowledge}.bin
  COMMAND rulec ${knowledge}.cpp ${knowledge}.bin ${families}
  DEPENDS rulec ${families}
  COMMENT "Compiling the rules of scrubbers/" VERBATIM)
target_sources(scan PRIVATE ${knowledge}.cpp)
set_source_files_properties(${knowledge}.cpp PROPERTIES OBJECT_DEPENDS ${knowledge}.bin)

# publishedc does the same for the list of what is public.
add_executable(publishedc scan/compiler/published.cpp)
target_link_libraries(publishedc PRIVATE settings base)
set(published ${CMAKE_CURRENT_BINARY_DIR}/published)
add_custom_command(OUTPUT ${published}.cpp ${published}.bin
  COMMAND publishedc ${published}.cpp ${published}.bin ${PROJECT_SOURCE_DIR}/scrubbers/published.txt
  DEPENDS publishedc ${PROJECT_SOURCE_DIR}/scrubbers/published.txt
  COMMENT "Compiling scrubbers/published.txt" VERBATIM)
target_sources(scan PRIVATE ${published}.cpp)
set_source_files_properties(${published}.cpp PROPERTIES OBJECT_DEPENDS ${published}.bin)
