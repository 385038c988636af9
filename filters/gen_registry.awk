# SPDX-License-Identifier: Apache-2.0
# usage: awk -f gen_registry.awk NAME... / PROFILE.yaml...
# Writes the table of filters (text/filter.h) and the texts of the profiles.
function quote(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return "\"" s "\\n\"" }
BEGIN {
  print "/* Made by filters/gen_registry.awk. */\n#include \"text/filter.h\"\n"
  for (at = 1; at < ARGC && ARGV[at] != "/"; at++)
    print "extern const struct sl_filter sl_filter_" ARGV[at] ";"
  print "\nconst struct sl_filter *const sl_filters[] = {"
  for (i = 1; i < at; i++)
    print "    &sl_filter_" ARGV[i] ","
  print "    NULL,\n};\n\nconst struct sl_profile_text sl_profile_texts[] = {"
  for (i = at + 1; i < ARGC; i++) {
    name = ARGV[i]
    sub(/^.*\//, "", name)
    sub(/\.yaml$/, "", name)
    printf "    { \"%s\"", name
    sep = ",\n"
    while ((getline line < ARGV[i]) > 0) {
      printf "%s      %s", sep, quote(line)
      sep = "\n"
    }
    print " },"
  }
  print "    { NULL, NULL },\n};"
}
