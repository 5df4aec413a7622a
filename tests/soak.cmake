# SPDX-License-Identifier: MIT
# Registers the soak: everything at once, at random, with an account of every message;
# and that the account finds readers that lose, double, reorder or damage one.
file(GLOB sources CONFIGURE_DEPENDS soak/*.c)
set(account soak/chance.c soak/ledger.c soak/message.c soak/process.c soak/reading.c
  soak/sending.c)
add_executable(soak ${sources})
set_target_properties(soak PROPERTIES RUNTIME_OUTPUT_DIRECTORY soak)
target_compile_definitions(soak PRIVATE _GNU_SOURCE)
target_link_libraries(soak PRIVATE mailslot_warnings mailslot_inside)

# In Lua the account is a module, which the interpreter loads beside this build's mailslot.
if(MAILSLOT_LUA)
  find_program(LUA_PROGRAM lua5.4 REQUIRED)
  add_library(soak_account MODULE soak/lua/soak_account.c ${account})
  set_target_properties(soak_account PROPERTIES
    PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lua)
  target_include_directories(soak_account PRIVATE soak)
  target_include_directories(soak_account SYSTEM PRIVATE ${LUA_INCLUDE_DIRS})
  target_compile_definitions(soak_account PRIVATE _GNU_SOURCE)
  target_link_libraries(soak_account PRIVATE mailslot_warnings)
  add_dependencies(soak soak_account mailslot_lua)
  set(preload "")
  if(MAILSLOT_SANITIZE)
    target_link_options(soak_account PRIVATE LINKER:-z,nodelete)
    execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libasan.so
      OUTPUT_VARIABLE preload OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  endif()
  target_compile_definitions(soak PRIVATE
    SOAK_LUA="${LUA_PROGRAM}"
    SOAK_LUA_FILES="${CMAKE_CURRENT_SOURCE_DIR}/soak/lua"
    SOAK_LUA_MODULES="${PROJECT_BINARY_DIR}/lua/?.so"
    SOAK_LUA_PRELOAD="${preload}")
endif()

register(soak.short COMMAND soak 3 1)
set(lose "lost: ")
set(double "doubled: again or late")
set(reorder "out of order: again or late")
set(damage "damaged: ")
foreach(reader IN ITEMS "" lua-)
  if(reader AND NOT MAILSLOT_LUA)
    continue()
  endif()
  foreach(fault lose double reorder damage)
    register(soak.finds_${reader}${fault} COMMAND soak 20 1 ${reader}${fault})
    set_tests_properties(${MAILSLOT_TEST_PREFIX}soak.finds_${reader}${fault} PROPERTIES
      PASS_REGULAR_EXPRESSION "${${fault}}")
  endforeach()
endforeach()
