import Glibc

/// Looks at how much memory the guest has touched, where `--memory` limits it.
///
/// The program's anonymous memory is the kernel's processes' own, which the host pages in without
/// asking anybody; the machine's memory (kernel heap, page cache, shared memory) is a file. Both
/// are counted from outside, where a hostile program cannot reach: docs/adr/0010.
struct MemoryWatch {
    /// Bytes.
    let limit: UInt64
    private let pid: pid_t
    /// The memfd with the machine's memory.
    private let memory: Int32
    /// `/proc/PID/statm`, opened while the process is surely the right one.
    private let statm: Int32

    /// What a program touches at most in a millisecond, in bytes: zeroed huge pages.
    private static let fastest: UInt64 = 8 << 20
    private static let shortestPause: UInt64 = 1
    private static let longestPause: UInt64 = 50

    /// Nil where the host does not tell: then the file's size alone limits.
    init?(limit: UInt64, pid: pid_t, memory: Int32) {
        let descriptor = openFile("/proc/\(pid)/statm", O_RDONLY)
        guard descriptor >= 0 else { return nil }
        self.limit = limit
        self.pid = pid
        self.memory = memory
        statm = descriptor
    }

    /// What is in use now, in bytes; of pages that processes of the kernel share since a copy no more than
    /// their number, where that decides.
    private func used() -> UInt64 {
        var status = stat()
        let file = fstat(memory, &status) == 0 ? UInt64(status.st_blocks) * 512 : 0
        let others = ChildProcesses.all.filter { $0 != pid }
        guard !others.isEmpty else { return file + anonymous(statm) }
        let most = others.reduce(anonymous(statm)) { $0 + anonymous(of: $1) }
        guard file + most > limit else { return file + most }
        return file + (others + [pid]).reduce(0) { $0 + proportional(of: $1) }
    }

    /// Resident pages that are not a file's: the second word of proc_pid_statm(5) without the third.
    private func anonymous(_ statm: Int32) -> UInt64 {
        var text = [UInt8](repeating: 0, count: 128)
        let count = pread(statm, &text, text.count, 0)
        guard count > 0 else { return 0 }
        let words = text[..<count].split(separator: 0x20)
        guard words.count >= 3, let resident = number(words[1]), let shared = number(words[2])
        else { return 0 }
        return (resident - min(shared, resident)) * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }

    private func anonymous(of process: pid_t) -> UInt64 {
        let descriptor = openFile("/proc/\(process)/statm", O_RDONLY)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        return anonymous(descriptor)
    }

    /// `Pss_Anon` of proc_pid_smaps(5), which takes the host longer to tell.
    private func proportional(of process: pid_t) -> UInt64 {
        let descriptor = openFile("/proc/\(process)/smaps_rollup", O_RDONLY)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        for line in (readAll(descriptor) ?? []).split(separator: 0x0a) {
            let words = line.split(separator: 0x20)
            guard words.count >= 2, words[0].elementsEqual("Pss_Anon:".utf8) else { continue }
            return (number(words[1]) ?? 0) << 10
        }
        return 0
    }

    private func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        UInt64(String(decoding: digits, as: UTF8.self))
    }

    /// Milliseconds until it is to be looked at again; nil when more than the limit is in use.
    ///
    /// The less is left, the sooner: what is used beyond the limit stays small.
    func pause() -> Int32? {
        let used = used()
        guard used <= limit else { return nil }
        let time = (limit - used) / Self.fastest
        return Int32(min(max(time, Self.shortestPause), Self.longestPause))
    }
}
