# SPDX-License-Identifier: MIT
# The target `lint`: formatting, clang-tidy and luacheck. Each check leaves a stamp, so
# that only what has changed is checked again.
find_program(CLANG_FORMAT clang-format)
find_program(CLANG_TIDY clang-tidy)
find_program(LUACHECK luacheck)
set(stamps ${PROJECT_BINARY_DIR}/lint)
file(MAKE_DIRECTORY ${stamps})

file(GLOB_RECURSE c_files CONFIGURE_DEPENDS
  src/*.[ch] lua/*.[ch] tests/*.[ch] bench/*.[ch] examples/*.[ch])
file(GLOB_RECURSE lua_files CONFIGURE_DEPENDS
  scripts/*.lua tests/*.lua bench/*.lua examples/*.lua)
set(headers ${c_files})
list(FILTER headers INCLUDE REGEX "/(src|lua)/.*\\.h$")
set(checked ${core} ${backend} ${wire} ${gateway} ${binding})
list(REMOVE_DUPLICATES checked) # the library has a file of the wire

add_custom_command(OUTPUT ${stamps}/format
  COMMAND ${CLANG_FORMAT} --dry-run --Werror ${c_files}
  COMMAND ${CMAKE_COMMAND} -E touch ${stamps}/format
  DEPENDS ${c_files} .clang-format
  COMMENT "Checking the format of the C files")

add_custom_command(OUTPUT ${stamps}/luacheck
  COMMAND ${LUACHECK} --quiet ${lua_files}
  COMMAND ${CMAKE_COMMAND} -E touch ${stamps}/luacheck
  DEPENDS ${lua_files} .luacheckrc
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
  COMMENT "Checking the Lua files")

foreach(source ${checked})
  file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${source})
  string(REPLACE "/" "-" stamp ${name})
  set(stamp ${stamps}/${stamp})
  add_custom_command(OUTPUT ${stamp}
    COMMAND ${CLANG_TIDY} --quiet -p ${PROJECT_BINARY_DIR} ${source}
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${source} ${headers} .clang-tidy
    COMMENT "Checking ${name}")
  list(APPEND tidy_stamps ${stamp})
endforeach()

add_custom_target(lint DEPENDS ${stamps}/format ${stamps}/luacheck ${tidy_stamps})
