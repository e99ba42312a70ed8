import CoreDump
import LinuxABI
import Platform

/// Dumping the core of a process that a signal ends: core(5).
enum Core {
    /// `unirun` keeps it in a file of the host, whatever the limit is, as Linux does for a program that is
    /// piped a core. Set once at the start.
    nonisolated(unsafe) static var isHosts = false
    /// A core that would be smaller is none.
    private static var smallest: UInt64 { 4096 }

    /// Dumps the core of the current process, where it is to have one; whether there is one now.
    static func dump(_ information: SignalInformation) -> Bool {
        let thread = Thread.current
        let process = thread.process!
        let limit = process.limits[.core].current
        guard process.attributes.isDumpable, isHosts || limit >= smallest else { return false }
        process.gatherThreads()
        defer { process.letThreadsEnd() }
        do throws(Errno) {
            let room = try KernelBuffer(60 << 10)
            let output: any CoreOutput
            if isHosts {
                output = HostCore()
            } else {
                output = GuestCore(try makeFile(process), limit)
            }
            var core = CoreStream(output, room: room.bytes)
            write(process, thread, information, &core)
            core.flush()
            // Linux tells of a core that the limit cut off, too.
            guard isHosts else { return true }
            let end = UnsafeRawBufferPointer(start: room.bytes.baseAddress, count: 0)
            return core.isWhole && output.write(end, at: core.position)
        } catch {
            return false
        }
    }

    /// The file `core` in the working directory: a new one that is the process's alone.
    private static func makeFile(_ process: Process) throws(Errno) -> OpenFile {
        try? VFS.unlink(VFS.Place("core"), process)
        let file = try VFS.open(
            VFS.Place("core"),
            process,
            [.create, .exclusive, .noFollow, .readWrite],
            mode: 0o600
        )
        guard let inode = file.inode, inode.mode.permissions & 0o677 == 0o600 else {
            throw .permissionDenied
        }
        return file
    }

    private static func write(
        _ process: Process,
        _ thread: Thread,
        _ information: SignalInformation,
        _ core: inout CoreStream
    ) {
        let space = process.addressSpace!
        let filter = process.attributes.coreFilter
        let files = FileNote(space)
        // Exactly: gdb takes the size for what is in it.
        let vectorSize = min(max(Int(processor_leaf(13, 0).ebx), 576), Thread.vectorStateSize)
        var headers = CoreHeaders(
            segmentCount: space.dumpedCount,
            notesLength: CoreNotes.length(
                threads: process.threadCount,
                vectorSize: vectorSize,
                auxiliary: process.executable.auxiliaryVector.count * 8,
                files: files.size
            )
        )
        headers.begin(&core)
        space.forEachDumped(filter) { _, segment in headers.append(segment, &core) }

        let facts = CoreProcess(process, information.signal)
        // What lies in the processor's registers is the current thread's, until others' are loaded.
        let area = UnsafeMutableRawBufferPointer(start: thread.vectorState, count: vectorSize)
        vector_state_save_all(thread.vectorState)
        CoreNotes.status(of: CoreThread(thread), facts, &core)
        appendInformation(process, facts, information, &core)
        files.append(space, &core)
        CoreNotes.vectors(area, features: boot.pointee.xsave_features, &core)
        process.forEachThread { other in
            guard other !== thread else { return }
            CoreNotes.status(of: CoreThread(other), facts, &core)
            other.saved.pointee.loadVectorState()
            vector_state_save_all(thread.vectorState)
            CoreNotes.vectors(area, features: boot.pointee.xsave_features, &core)
        }
        core.skip(toMultipleOf: UInt64(pageSize))
        space.dumpPages(filter, &core)
    }

    private static func appendInformation(
        _ process: Process,
        _ facts: CoreProcess,
        _ information: SignalInformation,
        _ core: inout CoreStream
    ) {
        let arguments = process.executable.keptArguments
        withUnsafeBytes(of: process.firstThread!.name.bytes) { name in
            CoreNotes.information(facts, name: name, arguments: arguments, &core)
        }
        withUnsafeBytes(of: information) { CoreNotes.signal($0, &core) }
        CoreNotes.auxiliary(process.executable.auxiliaryVector, &core)
    }
}

extension Process {
    /// Waits until all threads but the current one are out of the program, with whole frames: they wait
    /// there, and end afterwards.
    fileprivate func gatherThreads() {
        gathersThreads = true
        gatheredThreads = 0
        endOtherThreads()
        while gatheredThreads < threadCount - 1 {
            try? threadEnded.wait(isInterruptible: false)
        }
    }

    /// A thread that is to end waits while the core is written.
    @inline(never)
    func waitForCore() {
        guard gathersThreads else { return }
        gatheredThreads += 1
        threadEnded.wake()
        while gathersThreads { try? continued.wait(isInterruptible: false) }
    }

    fileprivate func letThreadsEnd() {
        gathersThreads = false
        continued.wake()
    }
}

extension CoreProcess {
    fileprivate init(_ process: Process, _ signal: Int32) {
        self.init()
        self.signal = signal
        id = process.id
        parent = process.parent?.id ?? 0
        group = process.groupID
        session = process.sessionID
        realUser = process.credentials.realUser
        realGroup = process.credentials.realGroup
        niceness = process.attributes.niceness
        childrenTime = process.processorTimeOfChildren
    }
}

extension CoreThread {
    /// Of a thread that is out of the program.
    fileprivate init(_ thread: Thread) {
        self.init(registers: thread.frame)
        id = thread.id
        pending = thread.signals.pending.set.rawValue
        blocked = thread.signals.mask.rawValue
        time = thread.currentProcessorTime
        let isCurrent = thread === Thread.current
        threadPointer = isCurrent ? thread_pointer_read() : thread.saved.pointee.threadPointer
    }
}

/// A file of the guest that a core is written to.
private final class GuestCore: CoreOutput {
    private let file: OpenFile
    /// Bytes that may still be written: RLIMIT_CORE.
    private var left: UInt64

    init(_ file: OpenFile, _ limit: UInt64) {
        self.file = file
        left = limit
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: UInt64) -> Bool {
        let count = Int(min(UInt64(bytes.count), left))
        var transfer = Transfer(kernel: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        var place = Int(position)
        left -= UInt64(count)
        do throws(Errno) {
            while transfer.remaining > 0 {
                guard try file.writePositioned(&transfer, at: &place) > 0 else { return false }
            }
        } catch { return false }
        return count == bytes.count
    }
}

/// The file of the host: records for `unirun`, which `CoreRecord` describes.
private final class HostCore: CoreOutput {
    init() {
        // Takes back what an earlier process may have left.
        _ = write(UnsafeRawBufferPointer(start: nil, count: 0), at: 0)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: UInt64) -> Bool {
        var head = InlineArray<2, UInt64>(repeating: 0)
        head[0] = position
        head[1] = UInt64(bytes.count)
        return withUnsafeBytes(of: &head) { pass($0) } && pass(bytes)
    }

    private func pass(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var done = 0
        while done < bytes.count {
            var segment = platform_segment(
                base: UnsafeMutableRawPointer(mutating: bytes.baseAddress! + done),
                length: UInt64(bytes.count - done)
            )
            let stream = Int32(PLATFORM_STREAM_CORE.rawValue)
            let count = machine.pointee.stream_write(stream, &segment, 1)
            if count == -Int64(Errno.interrupted.rawValue) { continue }
            guard count > 0 else { return false }
            done += Int(count)
        }
        return true
    }
}
