-- One write, then the read that it makes stale: GetInstance answered without a cache.
local job = "/api/v2/projects/project1/jobs/job1"
local headers = {["Host"] = "127.0.0.1"}
local form = {["Host"] = "127.0.0.1", ["Content-Type"] = "application/x-www-form-urlencoded"}

return {
   id = '"Id":(%d+)',
   {"PUT", job, form, "description=NAME"},
   {"GET", job .. "/instances/412536", headers, nil},
}
