# SPDX-License-Identifier: MIT
# How the project's own C code is compiled: warnings and, if asked for, sanitizers.
add_library(mailslot_warnings INTERFACE)
target_compile_options(mailslot_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
  $<$<BOOL:${MAILSLOT_WERROR}>:-Werror>)

if(MAILSLOT_SANITIZE)
  add_compile_options(-O1 -fno-omit-frame-pointer -fsanitize=${MAILSLOT_SANITIZE}
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MAILSLOT_SANITIZE})
endif()

# What a message costs is decided by what is compiled into one piece: so optimised builds
# optimise across files, for which `inline` in a .c file is a hint. The objects serve
# linkers that do not, too.
set(optimisation -O3 -flto=auto)
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT MAILSLOT_SANITIZE)
  add_compile_options(${optimisation} -ffat-lto-objects)
  add_link_options(${optimisation})
endif()
