/// A group of system calls that `--strace` shows together, as strace(1) groups them.
///
/// What a call takes decides where that is the meaning of the group; lists name the rest.
enum CallGroup {
    /// Calls with an argument, or a result, of a certain kind.
    case taking((Argument) -> Bool)
    /// Calls by name; a `*` at the end of a word stands for any end.
    case named(StaticString)
    case either((Argument) -> Bool, StaticString)

    /// The group of a name without its `%`.
    init?(_ name: UnsafeRawBufferPointer) {
        if name.equals("file") {
            self = .taking { $0 == .path || $0 == .pathResult }
        } else if name.equals("desc") {
            self = .either(
                CallGroup.isDescriptor,
                """
                select pselect6 poll ppoll open openat openat2 creat pipe pipe2 epoll_create \
                epoll_create1 eventfd eventfd2 timerfd_create inotify_init inotify_init1 \
                signalfd signalfd4 memfd_create close_range
                """
            )
        } else if name.equals("memory") {
            self = .either(
                CallGroup.isMemory,
                "brk munmap mincore msync mlock mlock2 munlock mlockall munlockall mremap shmat shmdt"
            )
        } else if let list = CallGroup.list(name) {
            self = .named(list)
        } else {
            return nil
        }
    }

    func contains(_ row: Row) -> Bool {
        switch self {
        case .taking(let test): return CallGroup.takes(row, test)
        case .named(let list): return CallGroup.names(list, row.name)
        case .either(let test, let list):
            return CallGroup.takes(row, test) || CallGroup.names(list, row.name)
        }
    }

    private static func isDescriptor(_ kind: Argument) -> Bool {
        kind == .descriptor || kind == .directory || kind == .descriptorPair
    }

    private static func isMemory(_ kind: Argument) -> Bool {
        kind == .protection || kind == .mappingFlags || kind == .remapFlags || kind == .advice
    }

    private static func takes(_ row: Row, _ test: (Argument) -> Bool) -> Bool {
        for index in 0..<6 where test(row.arguments[index]) { return true }
        return test(row.result)
    }

    private static func names(_ list: StaticString, _ name: StaticString) -> Bool {
        let text = UnsafeRawBufferPointer(start: list.utf8Start, count: list.utf8CodeUnitCount)
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != 0x20 { end += 1 }
            if matches(UnsafeRawBufferPointer(rebasing: text[start..<end]), name) { return true }
            start = end + 1
        }
        return false
    }

    private static func matches(_ word: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        guard word.last == 0x2a else { return word.equals(name) }
        guard name.utf8CodeUnitCount >= word.count - 1 else { return false }
        for index in 0..<(word.count - 1) where word[index] != name.utf8Start[index] {
            return false
        }
        return true
    }

    private static func list(_ name: UnsafeRawBufferPointer) -> StaticString? {
        if name.equals("process") {
            """
            clone clone3 fork vfork execve execveat exit exit_group wait4 waitid arch_prctl kill \
            tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal
            """
        } else if name.equals("signal") {
            """
            rt_sig* rt_tgsigqueueinfo kill tkill tgkill pause sigaltstack signalfd signalfd4 \
            pidfd_send_signal
            """
        } else if name.equals("ipc") {
            "shm* sem* msgget msgsnd msgrcv msgctl"
        } else if name.equals("network") {
            """
            socket socketpair connect accept accept4 bind listen shutdown getsockname getpeername \
            getsockopt setsockopt send* recv*
            """
        } else if name.equals("clock") {
            """
            clock_gettime clock_settime clock_getres clock_adjtime gettimeofday settimeofday time \
            adjtimex
            """
        } else if name.equals("creds") {
            """
            getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid \
            setregid setresuid setresgid setfsuid setfsgid setgroups capget capset prctl
            """
        } else if name.equals("pure") {
            """
            getpid getppid gettid getuid geteuid getgid getegid getpgrp getpgid getsid get_thread_area
            """
        } else {
            statusList(name)
        }
    }

    private static func statusList(_ name: UnsafeRawBufferPointer) -> StaticString? {
        if name.equals("stat") {
            "stat"
        } else if name.equals("lstat") {
            "lstat"
        } else if name.equals("fstat") {
            "fstat newfstatat"
        } else if name.equals("%stat") {
            "stat lstat fstat newfstatat statx"
        } else if name.equals("statfs") {
            "statfs"
        } else if name.equals("fstatfs") {
            "fstatfs"
        } else if name.equals("%statfs") {
            "statfs fstatfs ustat"
        } else {
            nil
        }
    }
}
