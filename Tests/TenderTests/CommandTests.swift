import Testing

/// The commands beside `run`, and the help.
struct CommandTests {
    private static let commands = [
        "run", "check", "inspect", "syscalls", "version", "completions",
    ]

    @Test(arguments: commands)
    func everyCommandIsInTheHelpAndHasItsOwn(command: String) throws {
        #expect(try CommandFixture.run(["--help"]).output.contains("\n  \(command)"))
        for words in [[command, "--help"], ["help", command]] {
            let outcome = try CommandFixture.run(words)
            #expect(outcome.status == 0)
            #expect(
                outcome.output.contains("unirun \(command)") || outcome.output.contains("[run]")
            )
            #expect(outcome.errors.isEmpty)
        }
    }

    @Test func withoutWordsTheHelpIsShown() throws {
        let outcome = try CommandFixture.run([])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("EXAMPLES"))
    }

    @Test func theOptionsOfARunAreInTheHelp() throws {
        let help = try CommandFixture.run(["run", "--help"]).output
        for option in [
            "--env", "--env-file", "--memory", "--workdir", "--user", "--hostname", "--rootfs",
            "--read-only", "--tmpfs", "--platform", "--name", "--quiet", "--cpus", "--strace",
            "--trace", "--output", "--stats", "--gdb", "--network", "--ip",
        ] {
            #expect(help.contains(option))
        }
    }

    @Test func aProgramMayBeCalledLikeACommand() throws {
        let folder = try TemporaryFolder()
        try folder.addProgram("version")
        #expect(try CommandFixture.run(["./version", "exit", "4"], in: folder.path).status == 4)
        let found = try CommandFixture.run(["run", "version", "exit", "5"], ["PATH": folder.path])
        #expect(found.status == 5)
    }

    @Test func aProgramIsInspected() throws {
        let folder = try TemporaryFolder()
        let outcome = try CommandFixture.run(["inspect", try folder.addProgram()])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("ELF64 x86-64, static"))
        #expect(outcome.output.contains("0x400000-0x401000 r-x file at 0x0"))
        #expect(try CommandFixture.run(["inspect", "/absent"]).status == 127)
        #expect(try CommandFixture.run(["inspect", folder.path]).status == 126)
    }

    @Test func missingCallsFailTheCheck() throws {
        let folder = try TemporaryFolder()
        var image = ProgramImage()
        // mov $511,%eax; syscall
        image.appendCode([0xb8, 0xff, 0x01, 0x00, 0x00, 0x0f, 0x05])
        let outcome = try CommandFixture.run([
            "check", folder.add("program", image.bytes, mode: 0o755),
        ])
        #expect(outcome.output.contains("#511"), "\(outcome.output)\(outcome.errors)")
        #expect(outcome.status == 1)
        #expect(try CommandFixture.run(["check", try folder.addProgram("empty")]).status == 0)
    }

    @Test func systemCallsAreListedInEachFormat() throws {
        let table = try CommandFixture.run(["syscalls"]).output
        #expect(table.hasPrefix("  number  name"))
        #expect(
            try CommandFixture.run(["syscalls", "-o", "json"]).output.hasPrefix(
                "[\n  {\"number\": "
            )
        )
        #expect(
            try CommandFixture.run(["syscalls", "-o", "markdown"]).output.hasPrefix("| number |")
        )
        #expect(try CommandFixture.run(["syscalls", "-o", "yaml"]).status == 125)
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func shellsGetACompletionScript(shell: String) throws {
        let outcome = try CommandFixture.run(["completions", shell])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("rootfs"))
    }
}
