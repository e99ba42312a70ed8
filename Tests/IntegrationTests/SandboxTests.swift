import Foundation
import Testing

/// A hostile program asks the host itself: the filter, not the kernel, is what stops it.
@Suite(.serialized) struct SandboxTests {
    /// A program that calls, a file and a process of the host that it is to leave alone.
    private final class Scene {
        let folder: ScratchFolder
        let program: String
        let page: UInt64
        let victim: pid_t

        init() throws {
            folder = try ScratchFolder()
            let source = Program.folder.appendingPathComponent("sandbox/calls-the-host.c")
            let built = try Build(program: Program(source: source), library: .glibc).executable()
            program = folder.path + "/program"
            try FileManager.default.copyItem(atPath: built.path, toPath: program)
            try Data("untouched".utf8).write(to: URL(fileURLWithPath: folder.path + "/kept"))
            page = try KernelImage.debug().address(of: "hypercall_page")
            victim = try Execution.start(
                ["/bin/sleep", "1000"],
                environment: [],
                folder: "/",
                descriptors: [("/dev/null", O_RDWR), ("/dev/null", O_RDWR), ("/dev/null", O_RDWR)]
            )
        }

        deinit {
            kill(victim, SIGKILL)
            waitpid(victim, nil, 0)
        }

        func call(
            _ road: String,
            _ number: Int,
            _ arguments: [String],
            timeLimit: Double = 20
        ) throws -> Execution {
            try Execution.run(
                [Command.path, "run", "--", program, road, String(page), String(number)]
                    + arguments,
                environment: Command.environment,
                timeLimit: timeLimit
            )
        }

        /// The folder's entries, the file's text and what the victim does.
        func state() throws -> [String] {
            let entries = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            let kept = try String(contentsOfFile: folder.path + "/kept", encoding: .utf8)
            let status = try String(contentsOfFile: "/proc/\(victim)/status", encoding: .utf8)
            let lines = status.split(separator: "\n").map(String.init)
            let isAlive = ["S", "R", "D"].contains { state in
                lines.contains { $0.hasPrefix("State:\t" + state) }
            }
            return entries + [kept, "alive: \(isAlive)"]
                + lines.filter { $0.hasPrefix("TracerPid") }
        }

        /// How many of the host's show the program in their command line.
        func processes() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
                let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
                return String(decoding: line, as: UTF8.self).contains(program)
            }.count
        }

        func programBytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: program)) }
    }

    /// Calls with arguments that would do something to the host if it answered.
    private func forbidden(_ scene: Scene) -> [(Int, [String])] {
        let file = scene.folder.path + "/kept"
        let new = scene.folder.path + "/new"
        let victim = String(scene.victim)
        return [
            (2, [new, "0x41", "0644"]),  // open
            (257, ["-100", new, "0x41", "0644"]),  // openat
            (437, ["-100", new, "buffer", "24"]),  // openat2
            (83, [new, "0755"]),  // mkdir
            (87, [file]),  // unlink
            (76, [file, "0"]),  // truncate
            (82, [file, new]),  // rename
            (86, [file, new]),  // link
            (90, [file, "0"]),  // chmod
            (41, ["2", "1", "0"]),  // socket
            (59, ["/bin/true", "0", "0"]),  // execve
            (322, ["-100", "/bin/true", "0", "0", "0"]),  // execveat
            (56, ["17"]),  // clone
            (57, []), (58, []),  // fork, vfork
            (435, ["buffer", "88"]),  // clone3
            (62, [victim, "9"]),  // kill
            (200, [victim, "9"]),  // tkill
            (234, [victim, victim, "9"]),  // tgkill
            (129, [victim, "9", "buffer"]),  // rt_sigqueueinfo
            (424, ["0", "9", "0", "0"]),  // pidfd_send_signal
            (101, ["16", victim]),  // ptrace
            (310, [victim, "buffer", "1", "buffer", "1", "0"]),  // process_vm_readv
            (311, [victim, "buffer", "1", "buffer", "1", "0"]),  // process_vm_writev
            (1, ["1", "buffer", "5"]),  // write
            (0, ["0", "buffer", "5"]),  // read
            (157, ["22", "0"]),  // prctl
            (317, ["1", "0", "buffer"]),  // seccomp
            (425, ["8", "buffer"]),  // io_uring_setup
            (321, ["0", "buffer", "64"]),  // bpf
            (16, ["1", "0x5412", "buffer"]),  // ioctl: TIOCSTI
            (0x4000_0002, [new, "0x41", "0644"]),  // open, by x32's number
            (4_294_967_298, [new, "0x41", "0644"]),  // open, with a bit above the number
            // Calls that the kernel makes itself, on descriptors that it does not have.
            (20, ["63", "buffer", "1"]),  // writev
            (20, ["7", "buffer", "1"]),
            (19, ["63", "buffer", "1"]),  // readv
            (19, ["4", "buffer", "1"]),
            (9, ["0", "4096", "3", "2", "63", "0"]),  // mmap
            (9, ["0", "4096", "3", "2", "0", "0"]),
            (28, ["buffer", "4096", "100"]),  // madvise: MADV_HWPOISON
            (223, ["7", "0", "buffer", "0"]),  // timer_settime
        ]
    }

    @Test(.enabled(if: Command.isBuilt && !Command.isNative))
    func callsThatTheFilterForbidsEndTheInstance() throws {
        let scene = try Scene()
        let before = try scene.state()
        for (number, arguments) in forbidden(scene) {
            let end = try scene.call("page", number, arguments)
            #expect(end.outputText == "calls\n", "call \(number) was answered")
            #expect(end.status == 125, "call \(number)")
            #expect(end.errorText.contains("signal 31"), "call \(number)")
            #expect(try scene.state() == before, "call \(number)")
        }
    }

    @Test(.enabled(if: Command.isBuilt && !Command.isNative))
    func aKilledInstanceLeavesNoDumpOfItsMemory() throws {
        let scene = try Scene()
        let before = try scene.state()
        let dumping = ["/bin/sh", "-c", "ulimit -c $(ulimit -H -c) && exec \"$@\"", "sh"]
        let end = try Execution.run(
            dumping + [Command.path, "run", "--", scene.program, "page", String(scene.page), "41"],
            environment: Command.environment,
            folder: scene.folder.path,
            timeLimit: 20
        )
        #expect(end.errorText.contains("signal 31"))
        #expect(try scene.state() == before)
    }

    @Test(.enabled(if: Command.isBuilt && !Command.isNative))
    func callsThatTheFilterAllowsStayInside() throws {
        let scene = try Scene()
        let before = try scene.state()
        let bytes = try scene.programBytes()
        let page = String(scene.page)
        let hostile: [(Int, [String])] = [
            // The program's file, shared and writable: descriptor 4.
            (9, ["0", "4096", "3", "1", "4", "0"]),
            (9, ["0", "4096", "3", "1", "5", "0"]),
            // The hypercall page itself is replaced, unmapped or written.
            (9, [page, "4096", "7", "0x32", "0xffffffff", "0"]),
            (11, [page, "4096"]),
            (10, [page, "4096", "7"]),
            (25, [page, "4096", "8192", "1"]),
            // All of the address space.
            (11, ["0", "0x7ffffffff000"]),
            (9, ["0", "0x7fffffff0000", "3", "0x22", "0xffffffff", "0"]),
            (271, ["buffer", "4096", "0", "0"]),
            (231, ["0"]),
        ]
        for (number, arguments) in hostile {
            // A kernel that was destroyed may spin; it goes when the command does.
            _ = try scene.call("page", number, arguments, timeLimit: 2)
            #expect(try scene.state() == before, "call \(number) \(arguments)")
            #expect(try scene.programBytes() == bytes, "call \(number) \(arguments)")
        }
        let write = try scene.call("page", 9, ["0", "4096", "3", "1", "4", "0"])
        #expect(write.outputText == "calls\n-13\n", "the program's file is open for writing")
    }

    @Test(.enabled(if: Command.isBuilt && !Command.isNative))
    func copiesOfAProcessAreRefusedBeyondABound() throws {
        let scene = try Scene()
        let before = try scene.state()
        // CLONE_PARENT and SIGCHLD, as the kernel makes its own.
        let (clone, flags) = (56, "0x8011")
        let end = try scene.call("without-end", clone, [flags], timeLimit: 120)
        #expect(end.outputText == "calls\n-\(EAGAIN)\n")
        #expect(end.status == 0)
        #expect(try scene.processes() == 0)
        #expect(try scene.state() == before)
    }

    @Test(.enabled(if: Command.isBuilt && !Command.isNative))
    func noOtherInstructionReachesTheHost() throws {
        let scene = try Scene()
        let before = try scene.state()
        let new = scene.folder.path + "/new"
        // mkdir by its number of the 64-bit and of the 32-bit interface.
        for (road, number) in [("fresh-page", 83), ("interrupt", 39), ("sysenter", 39)] {
            let end = try scene.call(road, number, [new, "0755"])
            #expect(!end.timedOut, "\(road)")
            #expect(try scene.state() == before, "\(road)")
        }
        let interrupt = try scene.call("interrupt", 39, [new, "0755"])
        #expect(interrupt.status == 128 + SIGSEGV)
        let clock = try scene.call("vsyscall", 0, ["buffer", "0"])
        #expect(!clock.timedOut)
    }
}
