-- SPDX-License-Identifier: MIT
-- What the libraries and the module show to those who link and load them.

local BUILD = os.getenv("MAILSLOT_BUILD") or "build/dev"
local HEADER = "src/include/mailslot.h"

-- What a command prints; it must succeed.
local function output(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("a")
  assert(pipe:close(), ("%s: %s"):format(command, text))
  return text
end

-- The defined symbols that nm lists, sorted.
local function symbols(arguments)
  local names = {}
  local listing = output("nm --format=posix --defined-only " .. arguments)
  for name in listing:gmatch("([^\n]*) %u [^\n]*") do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- The functions that the public header declares, sorted.
local function prototypes()
  local file <close> = assert(io.open(HEADER))
  local text = file:read("a"):gsub("/%*.-%*/", ""):gsub("#[^\n]*", "")
  local names = {}
  for declaration in text:gmatch("MAILSLOT_API([^;]*);") do
    names[#names + 1] = declaration:match("([%w_]+)%s*%(")
  end
  table.sort(names)
  return names
end

-- A file that uses the header, for a compiler that reads it from its standard input.
local function compile(compiler)
  output(([[printf '#include "mailslot.h"\n'"mailslot_options o = MAILSLOT_OPTIONS_INIT;
    mailslot_info i = MAILSLOT_INFO_INIT;\n" | %s -Wall -Wextra -Wpedantic -Werror \
    -fsyntax-only -Isrc/include -]]):format(compiler))
end

describe("the shared library", function()
  local library = BUILD .. "/libmailslot.so"

  it("exports what the header declares, and nothing else", function()
    local declared = prototypes()
    assert.is_true(#declared >= 10, "the header declares too little")
    assert.same(declared, symbols("--dynamic " .. library))
  end)

  it("exports only names that begin with mailslot_", function()
    for _, name in ipairs(symbols("--dynamic " .. library)) do
      assert.matches("^mailslot_", name)
    end
  end)

  it("has the major version in its soname", function()
    assert.matches("%[libmailslot%.so%.0%]", output("readelf --dynamic " .. library))
  end)
end)

describe("the static library", function()
  it("has no global name without its prefix", function()
    local names = symbols("--extern-only " .. BUILD .. "/libmailslot.a")
    assert.is_true(#names > #prototypes(), "nm shows too little")
    for _, name in ipairs(names) do
      assert.is_truthy(name:find("^mailslot_") or name:find("^ms_"), name)
    end
  end)
end)

describe("the Lua module", function()
  local module = BUILD .. "/lua/mailslot.so"

  it("exports luaopen_mailslot and nothing else", function()
    assert.same({ "luaopen_mailslot" }, symbols("--dynamic " .. module))
  end)

  it("needs neither liblua nor libmailslot", function()
    local dynamic = output("readelf --dynamic " .. module)
    assert.matches("NEEDED", dynamic)
    assert.not_matches("NEEDED[^\n]*lua", dynamic)
    assert.not_matches("NEEDED[^\n]*mailslot", dynamic)
  end)
end)

describe("the header", function()
  it("compiles as C11", function()
    compile("cc -std=c11 -xc")
  end)

  it("compiles as C++17", function()
    compile("c++ -std=c++17 -xc++")
  end)

  it("has the version of the build", function()
    local file <close> = assert(io.open(HEADER))
    local version = file:read("a"):match('#define MAILSLOT_VERSION "([%d.]+)"')
    local pc <close> = assert(io.open(BUILD .. "/mailslot.pc"))
    assert.equal(version, pc:read("a"):match("\nVersion: ([^\n]*)"))
  end)
end)
