-- SPDX-License-Identifier: MIT
-- Every test that docs/guarantees.md names exists, and every promise names one.

local function read_file(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

-- Each row: {promise, the tests of it}.
local function rows()
  local list = {}
  for promise, tests in read_file("docs/guarantees.md"):gmatch("\n| ([^|\n]+) | ([^|\n]+) |") do
    if promise ~= "promise" then
      list[#list + 1] = { promise, tests }
    end
  end
  return list
end

describe("docs/guarantees.md", function()
  it("has promises", function()
    assert.is_true(#rows() > 20)
  end)

  for _, row in ipairs(rows()) do
    it("says who holds that " .. row[1], function()
      local count = 0
      for suite, program, test in row[2]:gmatch("`(%l+)%.([%l_]+): ([%w]+_[%w_]+)`") do
        local source = read_file(("tests/%s/test_%s.c"):format(suite, program))
        assert.truthy(source:find("START_TEST(" .. test .. ")", 1, true), test)
        assert.truthy(source:find("_test%(%s*cases,%s*" .. test .. "[,%)]"), test .. " is not run")
        count = count + 1
      end
      for program, sentence in row[2]:gmatch("`gateway%.([%l_]+): ([^`]+)`") do
        local source = read_file(("tests/gateway/%s_spec.lua"):format(program))
        assert.truthy(source:find(('it("%s"'):format(sentence), 1, true), sentence)
        count = count + 1
      end
      assert.is_true(count > 0)
    end)
  end
end)
