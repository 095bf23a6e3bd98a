module example.com/foas

go 1.22
