import LinuxABI
import Platform

extension ProcFilesystem {
    /// The files of /proc that are no process's.
    static func systemRows() -> [GeneratedRow] {
        [
            GeneratedRow("cmdline") { (text, _) throws(Errno) in text.append("unirun\n") },
            GeneratedRow("cpuinfo", 0o444, processors),
            GeneratedRow("filesystems") { (text, _) throws(Errno) in
                text.append(
                    "nodev\tproc\nnodev\tsysfs\nnodev\ttmpfs\nnodev\tdevtmpfs\nnodev\tdevpts\n\terofs\n"
                )
            },
            GeneratedRow("loadavg", 0o444, load),
            GeneratedRow("meminfo", 0o444, memory),
            link("mounts", "self/mounts"),
            link("net", "self/net"),
            GeneratedRow("partitions") { (text, _) throws(Errno) in
                try Disks.appendTable(to: &text)
            },
            GeneratedRow(
                "self",
                0o777,
                .link { (text, process) throws(Errno) in text.append(process.id) }
            ),
            GeneratedRow("stat", 0o444, statistics),
            GeneratedRow("sys/fs/file-max") { (text, _) throws(Errno) in
                text.append("9223372036854775807\n")
            },
            limit("sys/fs/inotify/max_queued_events", { UInt64(WatchFile.largestQueue) }) {
                WatchFile.largestQueue = Int($0)
            },
            limit("sys/fs/inotify/max_user_instances", { UInt64(WatchFile.mostInstances) }) {
                WatchFile.mostInstances = Int($0)
            },
            limit("sys/fs/inotify/max_user_watches", { UInt64(WatchFile.mostWatches) }) {
                WatchFile.mostWatches = Int($0)
            },
            number("sys/fs/nr_open", UInt64(DescriptorTable.largest)),
            limit("sys/fs/pipe-max-size", most: 1 << 31, { UInt64(Pipe.largestCapacity) }) {
                Pipe.largestCapacity = Pipe.roundedSize(Int($0))
            },
            number("sys/net/core/somaxconn", UInt64(SocketFile.largestBacklog)),
            number("sys/net/core/wmem_default", UInt64(Socket.defaultLimit)),
            number("sys/net/core/wmem_max", UInt64(Socket.largestLimit)),
            number("sys/net/unix/max_dgram_qlen", UInt64(UnixSocket.datagramBacklog)),
            text("sys/kernel/core_pattern", "core"),
            number("sys/kernel/core_uses_pid", 0),
            name("sys/kernel/domainname", { SystemName.domainName }, SystemName.setDomain),
            name("sys/kernel/hostname", { SystemName.nodeName }, SystemName.setNode),
            text("sys/kernel/osrelease", SystemName.release),
            text("sys/kernel/ostype", SystemName.name),
            number("sys/kernel/pid_max", 4_194_304),
            GeneratedRow("sys/kernel/random/boot_id") { (text, _) throws(Errno) in
                appendIdentifier(bootIdentifier(), to: &text)
            },
            number("sys/kernel/random/entropy_avail", 256),
            number("sys/kernel/random/poolsize", 256),
            GeneratedRow("sys/kernel/random/uuid") { (text, _) throws(Errno) in
                appendIdentifier(freshIdentifier(), to: &text)
            },
            number("sys/kernel/threads-max", 63_000),
            text("sys/kernel/version", SystemName.version),
            number("sys/vm/max_map_count", 65_530),
            number("sys/vm/mmap_min_addr", 65_536),
            number("sys/vm/overcommit_memory", 0),
            number("sys/vm/overcommit_ratio", 50),
            GeneratedRow(
                "thread-self",
                0o777,
                .link { (text, process) throws(Errno) in
                    text.append(process.id)
                    text.append("/task/")
                    text.append(Thread.current.id)
                }
            ),
            GeneratedRow("uptime", 0o444, uptime),
            GeneratedRow("version") { (text, _) throws(Errno) in
                text.append(SystemName.name)
                text.append(" version ")
                text.append(SystemName.release)
                text.append(" ")
                text.append(SystemName.version)
                text.append("\n")
            },
        ]
    }

    private static func number(_ path: StaticString, _ value: UInt64) -> GeneratedRow {
        GeneratedRow(path) { (text, _) throws(Errno) in
            text.append(value)
            text.append("\n")
        }
    }

    /// A name that can be set: a line, as sysctl(8) writes it.
    private static func name(
        _ path: StaticString,
        _ get: @escaping () -> [UInt8],
        _ set: @escaping (UnsafeRawBufferPointer) -> Void
    ) -> GeneratedRow {
        GeneratedRow(
            path,
            0o644,
            .writable { (text, _) throws(Errno) in
                text.append(get())
                text.append("\n")
            } _: { (bytes, process) throws(Errno) in
                guard process.credentials.effectiveUser == 0 else { throw .notPermitted }
                var end = 0
                while end < bytes.count, bytes[end] != 0x0a, bytes[end] != 0 { end += 1 }
                set(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
            }
        )
    }

    /// A number from zero up that root may set, as sysctl(8) does.
    static func limit(
        _ path: StaticString,
        most: UInt64 = UInt64(Int32.max),
        _ get: @escaping () -> UInt64,
        _ set: @escaping (UInt64) -> Void
    ) -> GeneratedRow {
        GeneratedRow(
            path,
            0o644,
            .writable { (text, _) throws(Errno) in
                text.append(get())
                text.append("\n")
            } _: { (bytes, process) throws(Errno) in
                guard process.credentials.effectiveUser == 0 else { throw .notPermitted }
                set(try decimal(bytes, most: most))
            }
        )
    }

    /// The number that a line holds. Throws `invalidArgument`.
    static func decimal(_ bytes: UnsafeRawBufferPointer, most: UInt64) throws(Errno) -> UInt64 {
        try digits(bytes[...], base: 10, most: most)
    }

    /// The same in the base that its beginning tells, as strtoul(3) has it.
    static func unsigned(_ bytes: UnsafeRawBufferPointer, most: UInt64) throws(Errno) -> UInt64 {
        guard bytes.count > 1, bytes[0] == 0x30, bytes[1] != 0x0a else {
            return try decimal(bytes, most: most)
        }
        let isHexadecimal = bytes[1] | 0x20 == 0x78
        return try digits(
            isHexadecimal ? bytes[2...] : bytes[1...],
            base: isHexadecimal ? 16 : 8,
            most: most
        )
    }

    private static func digits(
        _ bytes: Slice<UnsafeRawBufferPointer>,
        base: UInt64,
        most: UInt64
    ) throws(Errno) -> UInt64 {
        var value: UInt64 = 0
        var digits = 0
        for byte in bytes {
            if byte == 0x0a || byte == 0 { break }
            let isLetter = byte | 0x20 >= 0x61
            let digit = UInt64(isLetter ? (byte | 0x20) &- 0x57 : byte &- 0x30)
            guard digit < base, isLetter || digit < 10 else { throw .invalidArgument }
            let (product, tooLong) = value.multipliedReportingOverflow(by: base)
            let (sum, overflow) = product.addingReportingOverflow(digit)
            guard !tooLong, !overflow, sum <= most else { throw .invalidArgument }
            value = sum
            digits += 1
        }
        guard digits > 0 else { throw .invalidArgument }
        return value
    }

    private static func text(_ path: StaticString, _ value: StaticString) -> GeneratedRow {
        GeneratedRow(path) { (text, _) throws(Errno) in
            text.append(value)
            text.append("\n")
        }
    }

    private static func link(_ path: StaticString, _ target: StaticString) -> GeneratedRow {
        GeneratedRow(path, 0o777, .link { (text, _) throws(Errno) in text.append(target) })
    }

    // MARK: Generators

    private static func processors(_ text: inout TextBuffer, _ process: Process) {
        // One processor runs the program, however many the machine has.
        text.append("processor\t: 0\n")
        ProcessorDescription.append(to: &text)
        text.append("siblings\t: 1\ncpu cores\t: 1\naddress sizes\t: 48 bits virtual\n\n")
    }

    private static func memory(_ text: inout TextBuffer, _ process: Process) {
        let free = MemoryUse.freePages
        let rows: [(StaticString, Int)] = [
            ("MemTotal:       ", FrameAllocator.totalFrames),
            ("MemFree:        ", free), ("MemAvailable:   ", free),
            ("Buffers:        ", 0), ("Cached:         ", cachedPages()),
            ("SwapTotal:      ", 0), ("SwapFree:       ", 0), ("Shmem:          ", cachedPages()),
        ]
        for (name, pages) in rows {
            text.append(name)
            text.append(UInt64(pages) * 4, width: 8, padding: 0x20)
            text.append(" kB\n")
        }
    }

    private static func cachedPages() -> Int {
        var pages = 0
        for case let filesystem as MemoryFilesystem in Filesystem.mounts {
            pages += filesystem.usedPages
        }
        return pages
    }

    private static func load(_ text: inout TextBuffer, _ process: Process) {
        var running = 0
        var all = 0
        ProcessTable.forEach { process in
            process.forEachThread { thread in
                all += 1
                if thread.state == .runnable { running += 1 }
            }
        }
        for average in LoadAverage.current() {
            text.append(average.whole)
            text.append(".")
            text.append(average.hundredths, width: 2)
            text.append(" ")
        }
        text.append(max(running, 1))
        text.append("/")
        text.append(all)
        text.append(" ")
        text.append(process.id)
        text.append("\n")
    }

    private static func appendHundredths(_ time: Nanoseconds, to text: inout TextBuffer) {
        text.append(time / .second)
        text.append(".")
        text.append(time % .second / 10_000_000, width: 2)
    }

    private static func uptime(_ text: inout TextBuffer, _ process: Process) {
        let up = now()
        appendHundredths(up, to: &text)
        text.append(" ")
        let busy = LoadAverage.busyTime()
        appendHundredths(up > busy ? up - busy : 0, to: &text)
        text.append("\n")
    }

    private static func statistics(_ text: inout TextBuffer, _ process: Process) {
        let up = now()
        let busy = min(LoadAverage.busyTime(), up)
        for line in [StaticString("cpu  "), StaticString("cpu0 ")] {
            text.append(line)
            text.append(busy / 10_000_000)
            text.append(" 0 0 ")
            text.append((up - busy) / 10_000_000)
            text.append(" 0 0 0 0 0 0\n")
        }
        text.append("ctxt 0\nbtime ")
        let real = Clock.realtime()
        text.append((real > up ? real - up : 0) / .second)
        text.append("\nprocesses ")
        text.append(ProcessTable.count)
        text.append("\nprocs_running 1\nprocs_blocked 0\n")
    }

    // MARK: Identifiers

    nonisolated(unsafe) private static var bootWords: (UInt64, UInt64)?

    private static func bootIdentifier() -> (UInt64, UInt64) {
        if let bootWords { return bootWords }
        let words = freshIdentifier()
        bootWords = words
        return words
    }

    private static func freshIdentifier() -> (UInt64, UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &words) { Random.fill($0) }
        return words
    }

    /// As RFC 9562, version 4.
    private static func appendIdentifier(_ words: (UInt64, UInt64), to text: inout TextBuffer) {
        let high = words.0 & ~0xf000 | 0x4000
        let low = words.1 & ~(3 << 62) | 2 << 62
        text.append(hexadecimal: high >> 32, width: 8)
        text.append("-")
        text.append(hexadecimal: high >> 16 & 0xffff, width: 4)
        text.append("-")
        text.append(hexadecimal: high & 0xffff, width: 4)
        text.append("-")
        text.append(hexadecimal: low >> 48, width: 4)
        text.append("-")
        text.append(hexadecimal: low & 0xffff_ffff_ffff, width: 12)
        text.append("\n")
    }
}
