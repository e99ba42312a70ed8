import LinuxABI

/// Whether two processes share something: kcmp(2).
public enum Comparison {
    public enum Kind: UInt32 {
        case file, memory, descriptors, paths, handlers, inputOutput, semaphoreUndo, watched
    }

    /// The process of a thread. Throws `noSuchProcess`.
    public static func process(_ id: Int32) throws(Errno) -> Process {
        guard let process = ThreadTable.thread(id)?.process ?? ProcessTable.process(id) else {
            throw .noSuchProcess
        }
        return process
    }

    /// Throws `notPermitted` when the current process may not look into another.
    public static func check(_ process: Process) throws(Errno) {
        guard process.credentials.admits(Process.current.credentials.realUser) else {
            throw .notPermitted
        }
    }

    public static func file(_ descriptor: UInt, of process: Process) throws(Errno) -> OpenFile {
        guard let table = process.descriptors else { throw .badDescriptor }
        return try table.file(FileDescriptor(descriptor))
    }

    /// Zero for what is the same; else 1 or 2, which order things without telling their addresses.
    public static func compare(_ first: AnyObject?, _ second: AnyObject?) -> Int {
        let (left, right) = (order(first), order(second))
        return left == right ? 0 : left < right ? 1 : 2
    }

    private static func order(_ object: AnyObject?) -> UInt {
        guard let object else { return 0 }
        return UInt(bitPattern: Unmanaged.passUnretained(object).toOpaque())
            &* 0x9e37_79b9_7f4a_7c15
    }

    /// Compares what two processes have of a kind that is not a file.
    public static func compare(_ kind: Kind, _ first: Process, _ second: Process) -> Int {
        switch kind {
        case .memory: return compare(first.addressSpace, second.addressSpace)
        case .descriptors: return compare(first.descriptors, second.descriptors)
        case .paths: return compare(first.paths, second.paths)
        case .handlers: return compare(first.signals, second.signals)
        case .semaphoreUndo:
            return compare(
                first.firstSemaphoreUndo?.takeUnretainedValue(),
                second.firstSemaphoreUndo?.takeUnretainedValue()
            )
        // Nobody has a context of input and output of its own.
        default: return 0
        }
    }
}
