-- Sends the recorded requests of a file over and over, byte for byte.
-- The file holds, for each request, its length in decimal, a line feed and its bytes.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)")
dofile(folder .. "summary.lua")

local recorded = {}
local last = 0

function init(arguments)
   local file = assert(io.open(arguments[1], "rb"))
   while true do
      local length = file:read("*n")
      if not length then break end
      file:read(1)
      recorded[#recorded + 1] = file:read(length)
   end
   file:close()
end

function request()
   last = last % #recorded + 1
   return recorded[last]
end
