-- Repeats a sequence of calls that depend on each other: one tour after the other on each thread's one connection.
-- Arguments: the file that returns the calls, and a text that no other run uses, of which names are made.
-- A call is {method, path, headers, body}; "NAME" in path and body is the tour's own name, "ID" is what the pattern
-- `id` of the sequence captured last, `again` the call with which every tour after the first begins.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)")
dofile(folder .. "summary.lua")

local threads = 0

function setup(thread)
   threads = threads + 1
   thread:set("number", threads)
end

local calls, unique, id
local tour, step = 1, 1

function init(arguments)
   calls = dofile(arguments[1])
   unique = arguments[2]
end

local function filled(text)
   local name = string.format("%s-%d-%d", unique, number, tour)
   return text and text:gsub("NAME", name):gsub("ID", id or "")
end

-- Renders the step that is due and does not move on: wrk asks once more often than it sends.
function request()
   local call = calls[step]
   return wrk.format(call[1], filled(call[2]), call[3], filled(call[4]))
end

function response(status, headers, body)
   if status >= 300 then
      io.stderr:write(string.format("%s %s: %d %s\n", calls[step][1], calls[step][2], status, body))
      wrk.thread:stop()
      return
   end
   id = body:match(calls.id) or id
   step = step + 1
   if step > #calls then
      step, tour = calls.again or 1, tour + 1
   end
end
