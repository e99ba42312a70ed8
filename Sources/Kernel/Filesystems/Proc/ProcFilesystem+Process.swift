import LinuxABI

extension ProcFilesystem {
    /// The files of /proc/PID, or with a thread of /proc/PID/task/TID.
    static func processRows(thread id: Int32? = nil) -> [GeneratedRow] {
        var rows: [GeneratedRow] = [
            GeneratedRow("auxv", 0o400, auxiliaryVector),
            GeneratedRow("cmdline") { (text, process) throws(Errno) in
                try append(process.executable.arguments, of: process, to: &text)
            },
            GeneratedRow(
                "comm",
                0o644,
                .writable { (text, process) throws(Errno) in
                    appendName(thread(id, process), to: &text)
                    text.append("\n")
                } _: { (bytes, process) throws(Errno) in
                    var end = bytes.count
                    if end > 0, bytes[end - 1] == 0x0a { end -= 1 }
                    thread(id, process)?.name = ThreadName(
                        UnsafeRawBufferPointer(rebasing: bytes[..<end])
                    )
                }
            ),
            GeneratedRow(
                "coredump_filter",
                0o644,
                .writable { (text, process) throws(Errno) in
                    text.append(UInt64(process.attributes.coreFilter.rawValue), base: 16, width: 8)
                    text.append("\n")
                } _: { (bytes, process) throws(Errno) in
                    let bits = try unsigned(bytes, most: UInt64(UInt32.max))
                    process.attributes.coreFilter = CoreFilter(
                        rawValue: UInt32(bits) & CoreFilter.all.rawValue
                    )
                }
            ),
            GeneratedRow(
                "cwd",
                0o777,
                .jump { (text, process) throws(Errno) in
                    VFS.appendPath(of: try paths(process).workingDirectory, to: &text)
                } _: { (process) throws(Errno) in
                    try paths(process).workingDirectory
                }
            ),
            GeneratedRow("environ", 0o400) { (text, process) throws(Errno) in
                try append(process.executable.environment, of: process, to: &text)
            },
            GeneratedRow(
                "exe",
                0o777,
                .jump { (text, process) throws(Errno) in
                    text.append(process.executable.path)
                } _: { (process) throws(Errno) in
                    try executable(process)
                }
            ),
            GeneratedRow("fd", 0o500, .directory(.descriptors)),
            GeneratedRow("fdinfo", 0o555, .directory(.descriptorInformation)),
            GeneratedRow("io", 0o400, inputOutput),
            GeneratedRow("limits", 0o444, limits),
            GeneratedRow("maps", 0o444, maps),
            GeneratedRow("mountinfo", 0o444, mountInformation),
            GeneratedRow("mounts", 0o444, mounts),
            GeneratedRow("net/unix") { (text, _) throws(Errno) in
                UnixSocket.appendTable(to: &text)
            },
            GeneratedRow("oom_score") { (text, _) throws(Errno) in text.append("0\n") },
            GeneratedRow(
                "oom_score_adj",
                0o644,
                .writable { (text, process) throws(Errno) in
                    text.append(process.attributes.memoryScore)
                    text.append("\n")
                } _: { (bytes, process) throws(Errno) in
                    try setMemoryScore(bytes, of: process)
                }
            ),
            GeneratedRow(
                "root",
                0o777,
                .jump { (text, process) throws(Errno) in
                    VFS.appendPath(of: try paths(process).root, to: &text)
                } _: { (process) throws(Errno) in
                    try paths(process).root
                }
            ),
            GeneratedRow("smaps", 0o444, mapsInDetail),
            GeneratedRow("stat") { (text, process) throws(Errno) in
                stat(thread(id, process), process, &text)
            },
            GeneratedRow("statm", 0o444, memoryStatus),
            GeneratedRow("status") { (text, process) throws(Errno) in
                status(thread(id, process), process, &text)
            },
        ]
        if id == nil { rows.append(GeneratedRow("task", 0o555, .directory(.tasks))) }
        return rows
    }

    /// Kept and told; nobody is killed by it.
    private static func setMemoryScore(_ bytes: UnsafeRawBufferPointer, of process: Process)
        throws(Errno)
    {
        let isNegative = bytes.first == 0x2d
        let digits = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(isNegative ? 1 : 0))
        let value = Int32(try decimal(digits, most: 1000)) * (isNegative ? -1 : 1)
        if Process.current.credentials.effectiveUser == 0 {
            process.attributes.leastMemoryScore = value
        } else if value < process.attributes.leastMemoryScore {
            throw .permissionDenied
        }
        process.attributes.memoryScore = value
    }

    private static func thread(_ id: Int32?, _ process: Process) -> Thread? {
        var found: Thread?
        process.forEachThread { thread in
            if found == nil, id == nil || thread.id == id { found = thread }
        }
        return found
    }

    static func appendName(_ thread: Thread?, to text: inout TextBuffer) {
        guard let name = thread?.name else { return }
        for index in 0..<name.count { text.append(byte: name.bytes[index]) }
    }

    /// Throws `noSuchFileOrDirectory` when the process has ended.
    private static func paths(_ process: Process) throws(Errno) -> PathContext {
        guard let paths = process.paths else { throw .noSuchFileOrDirectory }
        return paths
    }

    /// Appends a range of a program's memory, at most 128 KiB; of another address space what is kept of
    /// its arguments.
    private static func append(
        _ range: Range<UInt>,
        of process: Process,
        to text: inout TextBuffer
    ) throws(Errno) {
        guard process.addressSpace === Process.current.addressSpace else {
            guard range == process.executable.arguments else { throw .permissionDenied }
            return text.append(process.executable.keptArguments)
        }
        let count = min(range.count, 128 << 10)
        guard count > 0 else { return }
        let buffer = try KernelBuffer(count)
        try UserMemory.read(buffer.bytes, at: range.lowerBound)
        text.append(UnsafeRawBufferPointer(buffer.bytes))
    }

    private static func auxiliaryVector(_ text: inout TextBuffer, _ process: Process) {
        for word in process.executable.auxiliaryVector {
            withUnsafeBytes(of: word) { (bytes: UnsafeRawBufferPointer) in text.append(bytes) }
        }
    }

    private static func executable(_ process: Process) throws(Errno) -> Dentry {
        var result: Dentry?
        var failure: Errno?
        process.executable.path.withUnsafeBytes { path in
            do throws(Errno) {
                result = try VFS.resolve(VFS.Place(path), process)
            } catch { failure = error }
        }
        if let failure { throw failure }
        return result!
    }

    /// Counted nowhere yet but where it is zero for sure: nothing reaches a disk.
    private static func inputOutput(_ text: inout TextBuffer, _ process: Process) {
        text.append("read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n")
    }

    private static func limits(_ text: inout TextBuffer, _ process: Process) {
        text.append(
            "Limit                     Soft Limit           Hard Limit           Units     \n"
        )
        for resource in ResourceLimits.Resource.allCases {
            let (name, unit) = describe(resource)
            let limit = process.limits[resource]
            append(name, width: 26, to: &text)
            append(limit.current, width: 21, to: &text)
            append(limit.maximum, width: 21, to: &text)
            append(unit, width: 10, to: &text)
            text.append("\n")
        }
    }

    private static func append(_ name: StaticString, width: Int, to text: inout TextBuffer) {
        text.append(name)
        for _ in 0..<max(0, width - name.utf8CodeUnitCount) { text.append(" ") }
    }

    private static func append(_ limit: UInt64, width: Int, to text: inout TextBuffer) {
        guard limit != .max else { return append("unlimited", width: width, to: &text) }
        var number = TextBuffer()
        number.append(limit)
        text.append(number.bytes)
        for _ in 0..<max(0, width - number.bytes.count) { text.append(" ") }
    }

    private static func describe(_ resource: ResourceLimits.Resource) -> (
        StaticString, StaticString
    ) {
        switch resource {
        case .processorTime: ("Max cpu time", "seconds")
        case .fileSize: ("Max file size", "bytes")
        case .data: ("Max data size", "bytes")
        case .stack: ("Max stack size", "bytes")
        case .core: ("Max core file size", "bytes")
        case .residentSet: ("Max resident set", "bytes")
        case .processes: ("Max processes", "processes")
        case .openFiles: ("Max open files", "files")
        case .lockedMemory: ("Max locked memory", "bytes")
        case .addressSpace: ("Max address space", "bytes")
        case .locks: ("Max file locks", "locks")
        case .pendingSignals: ("Max pending signals", "signals")
        case .messageQueues: ("Max msgqueue size", "bytes")
        case .nice: ("Max nice priority", "")
        case .realTimePriority: ("Max realtime priority", "")
        case .realTimeTime: ("Max realtime timeout", "us")
        }
    }

    // MARK: Mounts

    private static func mounts(_ text: inout TextBuffer, _ process: Process) {
        forEachMount(process) { filesystem, path in
            appendSource(filesystem, &text)
            text.append(" ")
            appendEscaped(path, &text)
            text.append(" ")
            text.append(filesystem.name)
            text.append(" ")
            filesystem.mountOptions.append(to: &text)
            filesystem.appendOptions(to: &text)
            text.append(" 0 0\n")
        }
    }

    private static func mountInformation(_ text: inout TextBuffer, _ process: Process) {
        forEachMount(process) { filesystem, path in
            text.append(filesystem.mountID)
            text.append(" ")
            let parent = filesystem.root.mountPoint?.mount ?? filesystem
            text.append(parent.mountID)
            text.append(" ")
            text.append(deviceMajor(filesystem.shownDevice))
            text.append(":")
            text.append(deviceMinor(filesystem.shownDevice))
            text.append(" ")
            var root = TextBuffer()
            filesystem.appendShownRoot(to: &root)
            appendEscaped(root.bytes, &text)
            text.append(" ")
            appendEscaped(path, &text)
            text.append(" ")
            filesystem.mountOptions.append(to: &text)
            text.append(" - ")
            text.append(filesystem.name)
            text.append(" ")
            appendSource(filesystem, &text)
            text.append(filesystem.isReadOnly ? " ro" : " rw")
            filesystem.appendOptions(to: &text)
            text.append("\n")
        }
    }

    /// What is mounted below a process's root, in the order of mounting, and where.
    private static func forEachMount(_ process: Process, _ body: (Filesystem, [UInt8]) -> Void) {
        for filesystem in Filesystem.mounts {
            var path = TextBuffer()
            guard let root = filesystem.root, let own = process.paths?.root,
                root.appendPath(to: &path, from: own)
            else { continue }
            body(filesystem, path.bytes)
        }
    }

    private static func appendSource(_ filesystem: Filesystem, _ text: inout TextBuffer) {
        guard let source = filesystem.source else { return text.append(filesystem.name) }
        appendEscaped(source, &text)
    }

    /// As getmntent(3) reads it: blanks and backslashes are octal.
    private static func appendEscaped(_ bytes: [UInt8], _ text: inout TextBuffer) {
        for byte in bytes {
            guard byte == 0x20 || byte == 9 || byte == 0x0a || byte == 0x5c else {
                text.append(byte: byte)
                continue
            }
            text.append("\\")
            text.append(UInt64(byte), base: 8, width: 3)
        }
    }
}
