package foas

import (
	"context"
	"log"
	"os"
	"testing"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

const token = "of-the-tests"

// TestMain runs all tests of the package against one emulator; NewWorld creates a world for each.
func TestMain(m *testing.M) {
	if os.Getenv("FOAS_ENDPOINT") != "" { // a running server, for example in CI
		os.Exit(m.Run())
	}
	os.Exit(runInContainer(m))
}

func runInContainer(m *testing.M) int {
	ctx := context.Background()
	container, err := testcontainers.Run(ctx, "foas-emulator",
		testcontainers.WithExposedPorts("8018/tcp"),
		testcontainers.WithEnv(map[string]string{"FOASEMU_CONTROL_TOKEN": token}),
		testcontainers.WithWaitStrategy(wait.ForHTTP("/_emulator/health").WithPort("8018/tcp")),
	)
	defer func() {
		if err := testcontainers.TerminateContainer(container); err != nil {
			log.Print(err)
		}
	}()
	if err != nil {
		log.Print(err)
		return 1
	}
	endpoint, err := container.PortEndpoint(ctx, "8018/tcp", "http")
	if err != nil {
		log.Print(err)
		return 1
	}
	os.Setenv("FOAS_ENDPOINT", endpoint)
	os.Setenv("FOASEMU_CONTROL_TOKEN", token)
	return m.Run()
}
