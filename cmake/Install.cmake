# SPDX-License-Identifier: MIT
# What `cmake --install` puts where.
include(CMakePackageConfigHelpers)

# Not PATH: that would make what is given relative to the prefix relative to where cmake runs.
set(MAILSLOT_LUA_CDIR lib/lua/5.4 CACHE STRING "Where the Lua module goes")
set(MAILSLOT_LUA_DIR share/lua/5.4 CACHE STRING "Where Lua files go")
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/mailslot)

install(TARGETS mailslot mailslot_static EXPORT mailslot)
install(FILES src/include/mailslot.h TYPE INCLUDE)

file(RELATIVE_PATH prefix_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
                   ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/mailslot.pc.in mailslot.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mailslot.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(EXPORT mailslot NAMESPACE mailslot:: DESTINATION ${package_dir})
write_basic_package_version_file(mailslotConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES cmake/mailslotConfig.cmake
              ${PROJECT_BINARY_DIR}/mailslotConfigVersion.cmake
        DESTINATION ${package_dir})

if(MAILSLOT_LUA)
  install(TARGETS mailslot_lua LIBRARY DESTINATION ${MAILSLOT_LUA_CDIR})
  install(PROGRAMS scripts/server.lua TYPE BIN RENAME mailslot-server)
  install(PROGRAMS scripts/client.lua TYPE BIN RENAME mailslot-client)
  install(FILES scripts/mailslot_cli.lua DESTINATION ${MAILSLOT_LUA_DIR})
endif()
