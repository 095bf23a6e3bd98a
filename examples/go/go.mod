module example.com/foas

go 1.21
