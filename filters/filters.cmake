# SPDX-License-Identifier: Apache-2.0
# The filters as a library: the folder is the registry. filters/NAME.c is a filter
# and needs filters/NAME.test; filters/profiles/NAME.yaml is a built-in profile.
file(GLOB filter_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/filters/*.c)
file(GLOB profiles CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/filters/profiles/*.yaml)
list(FILTER filter_sources EXCLUDE REGEX "_test\\.c$")
set(filter_names)
foreach(f ${filter_sources})
  get_filename_component(name ${f} NAME_WE)
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/filters/${name}.test)
    message(FATAL_ERROR "filters/${name}.c has no filters/${name}.test")
  endif()
  list(APPEND filter_names ${name})
endforeach()

set(registry ${CMAKE_BINARY_DIR}/gen/filter_registry.c)
add_custom_command(OUTPUT ${registry}
  COMMAND awk -f ${CMAKE_SOURCE_DIR}/filters/gen_registry.awk ${filter_names} / ${profiles}
          > ${registry}
  DEPENDS ${filter_sources} ${profiles} ${CMAKE_SOURCE_DIR}/filters/gen_registry.awk VERBATIM)
add_library(sl_filters STATIC ${filter_sources} ${registry})
target_link_libraries(sl_filters PUBLIC sl_text)

if(SLUICE_TESTS)
  add_executable(filters_test ${CMAKE_SOURCE_DIR}/filters/filters_test.c)
  target_link_libraries(filters_test PRIVATE sl_filters cmocka)
  set_target_properties(filters_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  add_test(NAME filters_test COMMAND filters_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
endif()
