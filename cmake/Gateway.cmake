# SPDX-License-Identifier: MIT
# The program mailslot-gateway.
file(GLOB gateway CONFIGURE_DEPENDS src/gateway/*.c)
if(NOT MAILSLOT_NATS)
  list(FILTER gateway EXCLUDE REGEX "/nats[^/]*$")
endif()
add_executable(mailslot_gateway ${gateway})
set_target_properties(mailslot_gateway PROPERTIES OUTPUT_NAME mailslot-gateway)
target_include_directories(mailslot_gateway PRIVATE src)
target_compile_definitions(mailslot_gateway PRIVATE _GNU_SOURCE)
target_link_libraries(mailslot_gateway PRIVATE mailslot_warnings mailslot_inside
  mailslot_wire PkgConfig::UV PkgConfig::LIBLUA Threads::Threads)
if(MAILSLOT_NATS)
  target_compile_definitions(mailslot_gateway PRIVATE MAILSLOT_NATS=1)
  target_link_libraries(mailslot_gateway PRIVATE PkgConfig::NATS)
endif()
install(TARGETS mailslot_gateway RUNTIME)
install(FILES docs/man/mailslot-gateway.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES examples/gateway.lua DESTINATION ${CMAKE_INSTALL_DOCDIR})
configure_file(cmake/mailslot-gateway.service.in mailslot-gateway.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mailslot-gateway.service
        DESTINATION lib/systemd/system)
