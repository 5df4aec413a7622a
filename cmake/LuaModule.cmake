# SPDX-License-Identifier: MIT
# The Lua module: lua/mailslot.so in the build folder, with the library inside. The Lua
# API comes from the interpreter that loads it, so there is no liblua to link to.
find_package(PkgConfig REQUIRED)
pkg_check_modules(LUA REQUIRED lua5.4)

file(GLOB binding CONFIGURE_DEPENDS lua/*.c)
add_library(mailslot_lua MODULE ${binding})
set_target_properties(mailslot_lua PROPERTIES
  PREFIX "" OUTPUT_NAME mailslot LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lua)
target_include_directories(mailslot_lua SYSTEM PRIVATE ${LUA_INCLUDE_DIRS})
target_compile_definitions(mailslot_lua PRIVATE _GNU_SOURCE)
target_link_libraries(mailslot_lua PRIVATE mailslot_warnings mailslot_inside)
target_link_options(mailslot_lua PRIVATE LINKER:--exclude-libs,ALL)
if(MAILSLOT_SANITIZE)
  # Reports are written after Lua has closed the module and must find its symbols.
  target_link_options(mailslot_lua PRIVATE LINKER:-z,nodelete)
endif()
