import FakePlatform
import Testing

@testable import SyscallShim

/// Each kind of argument, on fake user memory.
@Suite struct TraceArgumentTests {
    @Test func numbersAreWrittenAsTheirTypesHaveThem() throws {
        try TracedProgram.run { program in
            #expect(program.show(.integer, 0xffff_ffff) == "-1")
            #expect(program.show(.integer, UInt.max) == "-1")
            #expect(program.show(.unsigned, 0xffff_ffff) == "4294967295")
            #expect(program.show(.user, 0xffff_ffff) == "-1")
            #expect(program.show(.offset, UInt(bitPattern: -5)) == "-5")
            #expect(program.show(.hexadecimal, 0) == "0")
            #expect(program.show(.hexadecimal, 31) == "0x1f")
            #expect(program.show(.address, 0) == "NULL")
            #expect(program.show(.octal, 0o22) == "022")
            #expect(program.show(.mode, 0o644) == "0644")
            #expect(program.show(.mode, 0) == "000")
            #expect(program.show(.mode, 0o20666) == "S_IFCHR|0666")
        }
    }

    @Test func flagsAreNamedAndTheRestIsANumber() throws {
        try TracedProgram.run { program in
            #expect(program.show(.protection, 0) == "PROT_NONE")
            #expect(program.show(.protection, 3) == "PROT_READ|PROT_WRITE")
            #expect(program.show(.protection, 0x41) == "PROT_READ|0x40")
            #expect(program.show(.protection, 0x40) == "0x40 /* PROT_??? */")
            #expect(program.show(.mappingFlags, 0x22) == "MAP_PRIVATE|MAP_ANONYMOUS")
            #expect(
                program.show(.mappingFlags, 0x4022) == "MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE"
            )
            #expect(program.show(.openFlags, 0o4010001) == "O_WRONLY|O_SYNC")
            #expect(program.show(.openFlags, 0o20200002) == "O_RDWR|O_TMPFILE")
            #expect(program.show(.descriptorFlags, 0o2004000) == "O_NONBLOCK|O_CLOEXEC")
            #expect(program.show(.descriptorFlags, 0) == "0")
            #expect(program.show(.accessMode, 0) == "F_OK")
            #expect(program.show(.accessMode, 6) == "W_OK|R_OK")
            #expect(program.show(.atFlags, 0x1100) == "AT_SYMLINK_NOFOLLOW|AT_EMPTY_PATH")
            #expect(program.show(.waitOptions, 3) == "WNOHANG|WSTOPPED")
        }
    }

    @Test func enumerationsAreNamed() throws {
        try TracedProgram.run { program in
            #expect(program.show(.whence, 2) == "SEEK_END")
            #expect(program.show(.whence, 9) == "0x9 /* SEEK_??? */")
            #expect(program.show(.advice, 4) == "MADV_DONTNEED")
            #expect(program.show(.advice, 20) == "MADV_COLD")
            #expect(program.show(.clock, 1) == "CLOCK_MONOTONIC")
            #expect(program.show(.clock, 11) == "CLOCK_TAI")
            #expect(program.show(.resource, 7) == "RLIMIT_NOFILE")
            #expect(program.show(.maskOperation, 2) == "SIG_SETMASK")
            #expect(program.show(.epollOperation, 3) == "EPOLL_CTL_MOD")
            #expect(program.show(.processControl, 38) == "PR_SET_NO_NEW_PRIVS")
            #expect(program.show(.architectureControl, 0x1002) == "ARCH_SET_FS")
            #expect(program.show(.usageWho, 0xffff_ffff) == "RUSAGE_CHILDREN")
        }
    }

    @Test func signalsAndSetsOfThemAreNamed() throws {
        try TracedProgram.run { program in
            #expect(program.show(.signal, 11) == "SIGSEGV")
            #expect(program.show(.signal, 32) == "SIGRTMIN")
            #expect(program.show(.signal, 34) == "SIGRT_2")
            #expect(program.show(.signal, 0) == "0")
            #expect(program.show(.signalSet, program.words(0)) == "[]")
            #expect(program.show(.signalSet, program.words(0x4002)) == "[INT TERM]")
            #expect(program.show(.signalSet, program.words(3 << 31)) == "[RTMIN RT_1]")
            #expect(program.show(.signalSet, program.words(~0x100)) == "~[KILL]")
            #expect(program.show(.signalSet, 0) == "NULL")
        }
    }

    @Test func stringsAreEscapedAndCut() throws {
        try TracedProgram.run { program in
            #expect(program.show(.string, program.string("a\"b\\c\n\t")) == #""a\"b\\c\n\t""#)
            let exact = String(repeating: "x", count: 32)
            #expect(program.show(.string, program.string(exact)) == "\"\(exact)\"")
            #expect(program.show(.string, program.string(exact + "y")) == "\"\(exact)\"...")
            let bytes: [UInt8] = [0x7f, 0x45, 0, 0x31, 1, 0xff]
            let line = program.trace(
                Row(1, "write", succeed, .full, .descriptor, .input, .size),
                1,
                program.memory(bytes),
                6
            )
            #expect(line.hasPrefix(#"write(1, "\177E\0001\1\377", 6)"#))
        }
    }

    @Test func aPathIsShownWholeAcrossPages() throws {
        try TracedProgram.run { program in
            let path = String(repeating: "ab/", count: 400)
            let memory = program.memory(Array(repeating: 0, count: 4000) + Array(path.utf8))
            #expect(program.show(.path, memory + 4000) == "\"\(path)\"")
        }
    }

    @Test func vectorsShowTheirBuffers() throws {
        try TracedProgram.run { program in
            let first = UInt64(program.string("abc"))
            let second = UInt64(program.string("defgh"))
            let vector = program.words(first, 3, second, 5)
            let write = Row(
                20,
                "writev",
                answerAsTold,
                .full,
                .descriptor,
                .inputVector,
                .integer
            )
            answerOfCall = 8
            #expect(
                program.trace(write, 1, vector, 2)
                    == "writev(1, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"defgh\", iov_len=5}], 2)"
                    + " = 8\n"
            )
            let read = Row(19, "readv", answerAsTold, .full, .descriptor, .outputVector, .integer)
            answerOfCall = 4
            #expect(
                program.trace(read, 0, vector, 2)
                    == "readv(0, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"d\", iov_len=5}], 2)"
                    + " = 4\n"
            )
        }
    }

    @Test func programsArgumentsAreListedAndTheirEnvironmentCounted() throws {
        try TracedProgram.run { program in
            let list = program.words(UInt64(program.string("ls")), UInt64(program.string("-l")), 0)
            #expect(program.show(.stringList, list) == "[\"ls\", \"-l\"]")
            #expect(program.show(.environment, list).hasSuffix(" /* 2 vars */"))
            #expect(program.show(.stringList, 0) == "NULL")
        }
    }

    @Test func structuresOfFilesAreBrief() throws {
        try TracedProgram.run { program in
            var status = [UInt8](repeating: 0, count: 144)
            status[24..<28] = ArraySlice(TracedProgram.bytes(UInt32(0o100644)))
            status[48..<56] = ArraySlice(TracedProgram.bytes(UInt64(5)))
            let file = program.memory(status)
            #expect(
                program.show(.fileStatusResult, file) == "{st_mode=S_IFREG|0644, st_size=5, ...}"
            )
            status[24..<28] = ArraySlice(TracedProgram.bytes(UInt32(0o20620)))
            status[40..<48] = ArraySlice(TracedProgram.bytes(UInt64(0x8801)))
            #expect(
                program.show(.fileStatusResult, program.memory(status))
                    == "{st_mode=S_IFCHR|0620, st_rdev=makedev(0x88, 0x1), ...}"
            )
            #expect(program.show(.descriptorPair, program.halfWords(3, 4)) == "[3, 4]")
            #expect(program.show(.integerResult, program.halfWords(7)) == "[7]")
        }
    }

    @Test func structuresOfTimeAreShown() throws {
        try TracedProgram.run { program in
            let time = program.words(1, 500)
            #expect(program.show(.time, time) == "{tv_sec=1, tv_nsec=500}")
            #expect(program.show(.timeValue, time) == "{tv_sec=1, tv_usec=500}")
            #expect(program.show(.time, 0) == "NULL")
            let pair = program.words(0, 0x3fff_ffff, 0, 0x3fff_fffe)
            #expect(program.show(.timePair, pair) == "[UTIME_NOW, UTIME_OMIT]")
            #expect(
                program.show(.timerValue, program.words(0, 1, 2, 3))
                    == "{it_interval={tv_sec=0, tv_nsec=1}, it_value={tv_sec=2, tv_nsec=3}}"
            )
        }
    }

    @Test func structuresOfTasksAreShown() throws {
        try TracedProgram.run { program in
            #expect(
                program.show(.signalAction, program.words(0x4000, 0x1400_0000, 0x5000, 2))
                    == "{sa_handler=0x4000, sa_mask=[INT], sa_flags=SA_RESTORER|SA_RESTART, "
                    + "sa_restorer=0x5000}"
            )
            #expect(
                program.show(.signalAction, program.words(1, 0, 0, 0))
                    == "{sa_handler=SIG_IGN, sa_mask=[], sa_flags=0}"
            )
            #expect(
                program.show(.signalStack, program.words(0, 2, 0))
                    == "{ss_sp=NULL, ss_flags=SS_DISABLE, ss_size=0}"
            )
            #expect(
                program.show(.resourceLimit, program.words(8 << 20, .max))
                    == "{rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}"
            )
            #expect(
                program.show(.cloneFlags, 0x10f00)
                    == "CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD"
            )
            #expect(program.show(.cloneFlags, 0x4111) == "CLONE_VM|CLONE_VFORK|SIGCHLD")
        }
    }

    @Test func aFutexShowsWhatItsOperationTakes() throws {
        let row = Row(
            202,
            "futex",
            answerAsTold,
            .full,
            .address,
            .futexOperation,
            .unsigned,
            .address,
            .address,
            .unsigned
        )
        try TracedProgram.run { program in
            answerOfCall = 0
            #expect(
                program.trace(row, 0x1000, 0x80, 2, 0, 5, 5)
                    == "futex(0x1000, FUTEX_WAIT_PRIVATE, 2, NULL) = 0\n"
            )
            #expect(
                program.trace(row, 0x1000, 1, 1, 9, 9, 9)
                    == "futex(0x1000, FUTEX_WAKE, 1)            = 0\n"
            )
            let time = program.words(1, 0)
            #expect(
                program.trace(row, 0x1000, 0x189, 2, time, 0, 0xffff_ffff)
                    == "futex(0x1000, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 2, "
                    + "{tv_sec=1, tv_nsec=0}, FUTEX_BITSET_MATCH_ANY) = 0\n"
            )
        }
    }

    @Test func descriptorControlShowsWhatItsCommandTakes() throws {
        let row = Row(
            72,
            "fcntl",
            answerAsTold,
            .full,
            .descriptor,
            .fileControl,
            .hexadecimal
        )
        try TracedProgram.run { program in
            answerOfCall = 0x8002
            #expect(
                program.trace(row, 3, 3, 99).hasSuffix(
                    "= 32770 (flags O_RDWR|O_LARGEFILE)\n"
                )
            )
            answerOfCall = 0
            #expect(program.trace(row, 3, 2, 1).hasPrefix("fcntl(3, F_SETFD, FD_CLOEXEC) "))
            #expect(
                program.trace(row, 3, 4, 0x800).hasPrefix("fcntl(3, F_SETFL, O_RDONLY|O_NONBLOCK)")
            )
            let lock = program.words(1, 10, 20, 0)
            #expect(
                program.trace(row, 3, 6, lock).hasPrefix(
                    "fcntl(3, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=10, l_len=20})"
                )
            )
        }
    }

    @Test func terminalRequestsAreNamedAndTheirStructuresShown() throws {
        let row = Row(16, "ioctl", answerAsTold, .full, .descriptor, .ioctlRequest, .address)
        try TracedProgram.run { program in
            answerOfCall = 0
            let size = program.memory([24, 0, 80, 0, 0, 0, 0, 0])
            #expect(
                program.trace(row, 1, 0x5413, size).hasPrefix(
                    "ioctl(1, TIOCGWINSZ, {ws_row=24, ws_col=80, ws_xpixel=0, ws_ypixel=0}) = 0"
                )
            )
            answerOfCall = -25
            #expect(
                program.trace(row, 1, 0x5401, 0x77).hasPrefix("ioctl(1, TCGETS, 0x77)")
            )
        }
    }

    @Test func pollingShowsWhatIsAskedAndWhatIsReady() throws {
        let poll = Row(7, "poll", answerAsTold, .full, .pollList, .unsigned, .integer)
        try TracedProgram.run { program in
            let list = program.halfWords(3, 0x0001_0001, 4, 0x0000_0004)
            answerOfCall = 1
            #expect(
                program.trace(poll, list, 2, 0xffff_ffff)
                    == "poll([{fd=3, events=POLLIN}, {fd=4, events=POLLOUT}], 2, -1) = 1 "
                    + "([{fd=3, revents=POLLIN}])\n"
            )
            answerOfCall = 0
            #expect(program.trace(poll, list, 1, 0).hasSuffix("= 0 (Timeout)\n"))
            let epoll = Row(
                232,
                "epoll_wait",
                answerAsTold,
                .full,
                .descriptor,
                .epollEventsResult,
                .integer,
                .integer
            )
            answerOfCall = 1
            #expect(
                program.trace(epoll, 4, program.halfWords(1, 3, 0), 10, 0xffff_ffff)
                    == "epoll_wait(4, [{events=EPOLLIN, data={u32=3, u64=3}}], 10, -1) = 1\n"
            )
            let select = Row(
                23,
                "select",
                answerAsTold,
                .full,
                .integer,
                .selectSet,
                .selectSet,
                .selectSet,
                .timeValue
            )
            #expect(
                program.trace(select, 6, program.words(0b101001), 0, 0, 0)
                    == "select(6, [0 3 5], NULL, NULL, NULL)    = 1 (in [0 3 5])\n"
            )
        }
    }

    @Test func whatASleepLeftIsShownWhenASignalEndedIt() throws {
        let row = Row(35, "nanosleep", answerAsTold, .full, .time, .timeRemaining)
        try TracedProgram.run { program in
            let time = program.words(1, 0)
            answerOfCall = -4
            #expect(
                program.trace(row, time, time)
                    == "nanosleep({tv_sec=1, tv_nsec=0}, {tv_sec=1, tv_nsec=0}) = -1 EINTR "
                    + "(Interrupted system call)\n"
            )
            answerOfCall = 0
            #expect(
                program.trace(row, time, 0x55).hasPrefix("nanosleep({tv_sec=1, tv_nsec=0}, 0x55)")
            )
        }
    }

    @Test func everyKindSurvivesEveryAddressAndCount() throws {
        try TracedProgram.run { program in
            let page = program.memory(Array(repeating: 0xff, count: 48 << 10))
            for raw in UInt8.min...UInt8.max {
                guard let kind = Argument(rawValue: raw) else { continue }
                for value in [0, 1, page, page + 4090, UInt.max, UInt.max - 7, 1 << 47] {
                    for answer in [0, 1, 64, -4, -14, Int.min] {
                        answerOfCall = answer
                        let row = Row(
                            0,
                            "f",
                            answerAsTold,
                            .full,
                            kind,
                            kind,
                            kind,
                            kind,
                            kind,
                            kind
                        )
                        let line = program.trace(row, value, value, value, value, value, value)
                        #expect(line.hasSuffix("\n"))
                    }
                }
            }
        }
    }
}
