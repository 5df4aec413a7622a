# SPDX-License-Identifier: MIT
# Registers the Lua specs. A file in which no test has run is a failure.
find_program(LUA_PROGRAM lua5.4 REQUIRED)
find_program(BUSTED_PROGRAM busted REQUIRED)
set(modules ${PROJECT_BINARY_DIR}/lua/?.so)

if(MAILSLOT_SANITIZE)
  # The interpreter is not sanitized, so the module's sanitizer has to be there first.
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libasan.so
    OUTPUT_VARIABLE asan OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  # It is then there in every program that a spec runs, too.
  set(leaks ${CMAKE_CURRENT_SOURCE_DIR}/lsan.supp)
  list(APPEND environment "LD_PRELOAD=${asan}"
    "LSAN_OPTIONS=print_suppressions=0:suppressions=${leaks}")
  # It keeps what was freed.
  set(options "--filter-out=keeps its memory small")
endif()
list(APPEND environment
  "LUA_CPATH_5_4=${modules}\;\;"
  "MAILSLOT_BUILD=${PROJECT_BINARY_DIR}")

# Lua modules that specs need.
file(GLOB fixtures CONFIGURE_DEPENDS spec/fixtures/*.c)
foreach(fixture ${fixtures})
  cmake_path(GET fixture STEM name)
  add_library(${name} MODULE ${fixture})
  set_target_properties(${name} PROPERTIES
    PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lua)
  target_include_directories(${name} SYSTEM PRIVATE ${LUA_INCLUDE_DIRS})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  target_link_libraries(${name} PRIVATE mailslot_warnings)
endforeach()

file(GLOB specs RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS spec/*_spec.lua)
if(MAILSLOT_SANITIZE)
  # They look at the files and the build, not at what runs.
  list(FILTER specs EXCLUDE REGEX "(arguments|guarantees|install|layers|readme|symbols)_spec")
endif()
if(NOT specs)
  message(FATAL_ERROR "there are no specs in ${CMAKE_CURRENT_SOURCE_DIR}/spec")
endif()

# The gateway's run in namespaces of their own.
if(MAILSLOT_GATEWAY)
  file(GLOB gateway_specs CONFIGURE_DEPENDS gateway/*_spec.lua)
  if(NOT MAILSLOT_NATS)
    list(FILTER gateway_specs EXCLUDE REGEX "/nats[^/]*$")
  endif()
endif()
foreach(spec ${gateway_specs})
  cmake_path(GET spec STEM name)
  string(REPLACE "_spec" "" name ${name})
  register(gateway.${name}
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/gateway/run ${LUA_PROGRAM} ${BUSTED_PROGRAM}
            --ignore-lua --cpath=${modules} --output=gtest ${spec}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_property(TEST ${MAILSLOT_TEST_PREFIX}gateway.${name} PROPERTY
    FAIL_REGULAR_EXPRESSION "\\[  PASSED  \\] 0 tests")
endforeach()
if(MAILSLOT_GATEWAY AND NOT MAILSLOT_SANITIZE)
  register(gateway.demo
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/intranet-demo ${PROJECT_BINARY_DIR})
endif()
foreach(spec ${specs})
  string(REGEX REPLACE "spec/(.*)_spec\\.lua" "spec.\\1" name ${spec})
  register(${name}
    COMMAND ${LUA_PROGRAM} ${BUSTED_PROGRAM} --ignore-lua --cpath=${modules}
            --output=gtest ${options} tests/${spec}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_property(TEST ${MAILSLOT_TEST_PREFIX}${name} PROPERTY
    FAIL_REGULAR_EXPRESSION "\\[  PASSED  \\] 0 tests")
endforeach()
