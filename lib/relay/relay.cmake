# The relay: a small static program that runs in the builder, one per platform, embedded in imgbuild.
room(relay)
