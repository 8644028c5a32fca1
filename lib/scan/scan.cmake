# The scanner, and beside it the knowledge of scrubbers/ compiled in with its pattern database.
room(scan PkgConfig::HS PkgConfig::RE2 PkgConfig::TOML)
