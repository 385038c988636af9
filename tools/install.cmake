# SPDX-License-Identifier: Apache-2.0
# What the tools say of themselves, as files: the targets docs (docs/reference),
# man (build/PRESET/man) and completions, and `cmake --install`. Nothing here
# names a tool: TOOL_NAMES are those that the folder tools/ has.
include(GNUInstallDirs)

set(TOOL_NAMES)
foreach(t ${tools})
  get_filename_component(name ${t} NAME_WE)
  list(APPEND TOOL_NAMES ${name})
endforeach()

# said(TARGET FOLDER FILE ARGUMENT...): FOLDER/FILE is what TARGET prints.
set(SAID_FILES)
function(said target folder file)
  set(out ${CMAKE_BINARY_DIR}/${folder}/${file})
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/${folder})
  # Beside it first: a tool that fails must leave no empty page behind.
  add_custom_command(OUTPUT ${out}
    COMMAND $<TARGET_FILE:${target}> ${ARGN} > ${out}.tmp
    COMMAND ${CMAKE_COMMAND} -E rename ${out}.tmp ${out}
    DEPENDS ${target} VERBATIM)
  set(SAID_FILES ${SAID_FILES} ${out} PARENT_SCOPE)
endfunction()

foreach(name ${TOOL_NAMES})
  said(${name} man ${name}.1 --man)
endforeach()
add_custom_target(man DEPENDS ${SAID_FILES})

set(SAID_FILES)
foreach(name ${TOOL_NAMES})
  said(${name} completions/bash ${name} --completion bash)
  said(${name} completions/zsh _${name} --completion zsh)
  said(${name} completions/fish ${name}.fish --completion fish)
endforeach()
add_custom_target(completions DEPENDS ${SAID_FILES})

add_custom_target(docs
  COMMAND python3 ${CMAKE_SOURCE_DIR}/docs/gen_reference.py ${CMAKE_BINARY_DIR}/bin
  DEPENDS ${TOOL_NAMES} VERBATIM)

# The pages are made when they are installed, not in every build.
install(CODE "execute_process(COMMAND \"${CMAKE_COMMAND}\" --build \"${CMAKE_BINARY_DIR}\"
  --target man completions OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)")
install(TARGETS ${TOOL_NAMES} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${CMAKE_BINARY_DIR}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
  FILES_MATCHING PATTERN "*.1")
install(DIRECTORY ${CMAKE_BINARY_DIR}/completions/bash/
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(DIRECTORY ${CMAKE_BINARY_DIR}/completions/zsh/
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(DIRECTORY ${CMAKE_BINARY_DIR}/completions/fish/
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
