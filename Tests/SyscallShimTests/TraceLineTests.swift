import FakePlatform
import Kernel
import LaunchRecord
import Platform
import Testing

@testable import SyscallShim

/// Whole lines, as strace(1) writes them.
@Suite struct TraceLineTests {
    let openRow = Row(
        257,
        "openat",
        answerAsTold,
        .full,
        .directory,
        .path,
        .openFlags,
        .mode,
        result: .descriptor
    )
    let readRow = Row(0, "read", answerAsTold, .full, .descriptor, .output, .size)

    @Test func namesFlagsAndPathsOfAnOpen() throws {
        try TracedProgram.run { program in
            answerOfCall = 3
            let path = program.string("/etc/passwd")
            let line = program.trace(openRow, UInt(bitPattern: -100), path, 0x80000, 0o777)
            #expect(line == "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3\n")
        }
    }

    @Test func showsTheModeOfAFileToBeMade() throws {
        try TracedProgram.run { program in
            answerOfCall = -17
            let line = program.trace(openRow, 4, program.string("a"), 0xc1, 0o644)
            #expect(
                line
                    == "openat(4, \"a\", O_WRONLY|O_CREAT|O_EXCL, 0644) = -1 EEXIST (File exists)\n"
            )
        }
    }

    @Test func showsWhatAReadWroteAndCutsIt() throws {
        try TracedProgram.run { program in
            let buffer = program.string("root:x:0:0:root:/root:/bin/bash\nmore")
            answerOfCall = 36
            #expect(
                program.trace(readRow, 3, buffer, 4096)
                    == "read(3, \"root:x:0:0:root:/root:/bin/bash\\n\"..., 4096) = 36\n"
            )
            answerOfCall = 4
            #expect(
                program.trace(readRow, 3, buffer, 4)
                    == "read(3, \"root\", 4)                      = 4\n"
            )
        }
    }

    @Test func showsTheAddressOfABufferThatNothingWasWrittenTo() throws {
        try TracedProgram.run { program in
            answerOfCall = -9
            #expect(
                program.trace(readRow, 7, 0x1234, 10)
                    == "read(7, 0x1234, 10)                     = -1 EBADF (Bad file descriptor)\n"
            )
        }
    }

    @Test func showsAddressesOfWhatCannotBeRead() throws {
        try TracedProgram.run { program in
            let line = program.trace(openRow, 3, UInt(bitPattern: -4096), 0)
            #expect(line.hasPrefix("openat(3, 0xfffffffffffff000, O_RDONLY)"))
            #expect(program.trace(openRow, 3, 0, 0).hasPrefix("openat(3, NULL, O_RDONLY)"))
        }
    }

    @Test func showsACallThatDoesNotReturnBeforeIt() throws {
        try TracedProgram.run { program in
            let row = Row(231, "exit_group", answerAsTold, .full, .integer, result: .none)
            duringCall = { #expect(program.output.hasSuffix("= ?\n")) }
            defer { duringCall = {} }
            #expect(program.trace(row, 3) == "exit_group(3)                           = ?\n")
        }
    }

    @Test func showsACallWithoutARow() throws {
        try TracedProgram.run { program in
            Tracer.calls[500].handler = answerAsTold
            answerOfCall = -38
            _ = Tracer.traceCall(500, [1, 2, 3, 4, 5, 6])
            #expect(
                program.output
                    == "syscall_0x1f4(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS "
                    + "(Function not implemented)\n"
            )
        }
    }

    @Test func showsAnUnknownNumberWithItsArguments() throws {
        try TracedProgram.run { program in
            var stack: [UInt64] = [6, 5, 4, 3, 2, 1, 0, 0, 0, 999]
            stack.withUnsafeMutableBufferPointer {
                boot_cpu.kernel_stack = UInt64(UInt(bitPattern: $0.baseAddress! + 10))
                Tracer.traceUnknown(999)
            }
            boot_cpu.kernel_stack = 0
            #expect(program.output.hasPrefix("syscall_0x3e7(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 "))
        }
    }

    @Test func takesTheArgumentsOfAFrameCallFromItsFrame() throws {
        try TracedProgram.run { program in
            Tracer.calls[56] = TracedCall(
                Row(56, "clone", succeed, .full, .cloneFlags, .address, .address)
            )
            var frame = trap_frame()
            frame.rdi = 0x11
            frame.rsi = 0x7000
            let result = Tracer.traceFrameCall(56, &frame) { _ in 12 }
            #expect(result == 12)
            #expect(program.output == "clone(SIGCHLD, 0x7000, NULL)            = 12\n")
        }
    }

    @Test func breaksLinesInTwoWhenAnotherThreadsComesBetween() throws {
        try TracedProgram.run { program in
            let first = TraceWriter.Author(thread: 2, isOneOfMany: true)
            let second = TraceWriter.Author(thread: 13, isOneOfMany: true)
            let ticket = Tracer.writer.begin(first)
            Tracer.writer.line.append("read(0, ")
            let other = Tracer.writer.begin(second)
            Tracer.writer.line.append("close(3")
            Tracer.writer.resume(other, second, named("close"))
            Tracer.writer.appendResultColumn()
            Tracer.writer.line.append("= 0")
            Tracer.writer.finish()
            Tracer.writer.resume(ticket, first, named("read"))
            Tracer.writer.line.append("\"\", 10")
            Tracer.writer.appendResultColumn()
            Tracer.writer.line.append("= 0")
            Tracer.writer.finish()
            #expect(
                program.output == """
                    [pid     2] read(0,  <unfinished ...>
                    [pid    13] close(3)                    = 0
                    [pid     2] <... read resumed>"", 10)   = 0

                    """
            )
        }
    }

    @Test func endsTheLineOfACallThatItsThreadDidNotReturnFrom() throws {
        try TracedProgram.run { program in
            let author = TraceWriter.Author(thread: 2, isOneOfMany: false)
            _ = Tracer.writer.begin(author)
            Tracer.writer.line.append("execve(\"/a\"")
            Tracer.exited(.exited(3))
            #expect(program.output.hasSuffix("+++ exited with 3 +++\n"))
            #expect(program.output.hasPrefix("execve(\"/a\""))
        }
    }

    @Test func resumesACallDuringWhichASignalLineCame() throws {
        try TracedProgram.run { program in
            answerOfCall = 1
            duringCall = { Tracer.idle() }
            defer { duringCall = {} }
            let line = program.trace(readRow, 0, program.string("x"), 10)
            #expect(
                line == """
                    read(0,  <unfinished ...>
                    <... read resumed>"x", 10)              = 1

                    """
            )
        }
    }

    @Test func tellsSignalsAndEnds() throws {
        try TracedProgram.run { program in
            Tracer.signal(11, code: 1, first: 0, second: 0)
            Tracer.signal(10, code: -6, first: 7 | 1000 << 32, second: 0)
            Tracer.signal(14, code: 0x80, first: 0, second: 0)
            Tracer.exited(.killed(signal: 9, dumpedCore: false))
            Tracer.exited(.killed(signal: 11, dumpedCore: true))
            #expect(
                program.output == """
                    --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---
                    --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=7, si_uid=1000} ---
                    --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---
                    +++ killed by SIGKILL +++
                    +++ killed by SIGSEGV (core dumped) +++

                    """
            )
        }
    }

    @Test func cutsLongLinesButKeepsTheirResults() throws {
        try TracedProgram.run { program in
            answerOfCall = -2
            let row = Row(2, "open", answerAsTold, .full, .path, .openFlags)
            let line = program.trace(
                row,
                program.string(String(repeating: "\u{1}", count: 3000)),
                0
            )
            #expect(line.hasSuffix("...) = -1 ENOENT (No such file or directory)\n"))
            #expect(line.utf8.count <= TraceWriter.lineSize + 1)
        }
    }

    @Test func hidesWhatTheFilterLeavesOut() throws {
        try TracedProgram.run(filter: "!%network") { program in
            answerOfCall = 0
            #expect(program.trace(Row(41, "socket", answerAsTold)).isEmpty)
            #expect(!program.trace(readRow, 3, 0, 0).isEmpty)
        }
    }

    private func named(_ name: StaticString) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    }
}
