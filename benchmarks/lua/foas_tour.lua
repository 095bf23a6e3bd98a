-- The writes of one job's life, each answered by the emulator: create, commit, start, stop, offline, delete.
local jobs = "/api/v2/projects/project1/jobs"
local form = {["Host"] = "127.0.0.1", ["Content-Type"] = "application/x-www-form-urlencoded"}

return {
   id = '"[Ii]nstanceId":(%d+)',
   {"POST", jobs, form,
    "jobName=NAME&jobType=FLINK_STREAM&apiType=SQL&engineVersion=blink-3.4.4&code=create%20table%20t%20(a%20int)"},
   {"PUT", jobs .. "/NAME/commit", form, ""},
   {"POST", jobs .. "/NAME/instance", form, ""},
   {"PUT", jobs .. "/NAME/instances/ID/expectstate", form, "expectState=TERMINATED"},
   {"PUT", jobs .. "/NAME/offline", form, ""},
   {"DELETE", jobs .. "/NAME", form, nil},
}
