import Foundation
import Testing

/// A machine talks to QEMU's server of files in 9P: `--stats` asks it what its folder is.
@Suite(.enabled(if: Command.isBuilt && Command.isMachine)) struct MachineFilesTests {
    private func run(_ hardware: MachineDiskTests.Hardware, serving folder: String?) throws
        -> Execution
    {
        var emulator: [String] = []
        if let folder {
            emulator = [
                "-fsdev", "local,id=files,path=\(folder),security_model=none",
                "-device", "\(hardware.device("9p")),fsdev=files,mount_tag=host",
                "-global", "\(hardware.device("9p")).packed=\(hardware.isPacked ? "on" : "off")",
            ]
        }
        let run = try Execution.run(
            [Command.path, "run"] + Command.options
                + ["--machine", hardware.machine, "--stats", "--", "/bin/busybox", "true"],
            environment: Command.environment
                + ["UNIRUN_QEMU=" + emulator.joined(separator: " ")],
            timeLimit: ProgramTests.timeLimit
        )
        #expect(!run.timedOut)
        #expect(run.status == 0)
        return run
    }

    private func value(_ name: String, in run: Execution) -> UInt64? {
        for line in run.errorText.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }

    /// QEMU makes what tells a file from others of the host's own number of it: nobody guesses that.
    @Test(arguments: MachineDiskTests.Hardware.all)
    func aServerTellsWhatItsFolderIs(_ hardware: MachineDiskTests.Hardware) throws {
        let folder = try ScratchFolder()
        let run = try run(hardware, serving: folder.path)
        var status = stat()
        #expect(stat(folder.path, &status) == 0)
        #expect(value("file_server_root", in: run) == UInt64(status.st_ino))
        #expect(value("file_server_message_limit", in: run) == 65536)
    }

    @Test func withoutAServerNothingIsTold() throws {
        let run = try run(MachineDiskTests.Hardware.all[0], serving: nil)
        #expect(value("file_server_root", in: run) == nil)
        #expect((value("calls_total", in: run) ?? 0) > 0)
    }
}
