import LinuxABI
import Terminal

/// A pair of a master, at which a program sits as a user would, and the terminal that it serves: pty(7).
final class Pseudoterminal: ControllingTerminal {
    let number: UInt32
    private(set) var discipline: LineDiscipline
    private let typed: UnsafeMutableBufferPointer<TypedByte>
    private let output: UnsafeMutableBufferPointer<UInt8>
    /// When something was typed last, for VTIME.
    private(set) var lastTyped: Nanoseconds = 0

    /// Those who wait at the master, and at the terminal.
    let masterQueue = WaitQueue()
    let slaveQueue = WaitQueue()

    /// Open files of the terminal, and whether there ever were any.
    private(set) var slaves = 0
    private(set) var wasOpened = false
    /// The master is closed: nobody is there any more.
    private(set) var isAbandoned = false
    /// TIOCSPTLCK: nobody may open the terminal yet.
    var isLocked = true
    /// TIOCEXCL
    var isExclusive = false
    /// `struct winsize`: rows, columns, and two that are of no use.
    private(set) var windowSize: UInt64 = 0
    /// TIOCPKT: what is read at the master begins with a byte that tells of changes.
    var packets: PacketMode?

    private static var typedSize: Int { 4096 }
    private static var outputSize: Int { 16384 }

    /// Throws `noMemory`.
    init(number: UInt32) throws(Errno) {
        self.number = number
        let bytes = try KernelBuffer.allocate(
            Pseudoterminal.typedSize * MemoryLayout<TypedByte>.stride + Pseudoterminal.outputSize
        )
        typed = UnsafeMutableBufferPointer(
            start: bytes.bindMemory(to: TypedByte.self, capacity: Pseudoterminal.typedSize),
            count: Pseudoterminal.typedSize
        )
        output = UnsafeMutableBufferPointer(
            start: (bytes + Pseudoterminal.typedSize * MemoryLayout<TypedByte>.stride)
                .bindMemory(to: UInt8.self, capacity: Pseudoterminal.outputSize),
            count: Pseudoterminal.outputSize
        )
        discipline = LineDiscipline(typed: typed, output: output)
        discipline.set(.pseudoterminal)
    }

    deinit { KernelBuffer.free(typed.baseAddress) }

    override var device: UInt64 { deviceNumber(Pseudoterminals.major, number) }

    /// Throws `inputOutputError` when its master is closed or has not unlocked it, `busy` when somebody
    /// has it alone.
    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        guard !isAbandoned, !isLocked else { throw .inputOutputError }
        let isPrivileged = Process.current.credentials.effectiveUser == 0
        guard !isExclusive || slaves == 0 || isPrivileged else { throw .busy }
        return SlaveFile(self, flags, dentry)
    }

    // MARK: Ends

    func slaveOpened() {
        slaves += 1
        wasOpened = true
    }

    func slaveClosed() {
        slaves -= 1
        if slaves == 0 { masterQueue.wake() }
    }

    /// Whether all who had the terminal open have closed it.
    var isDeserted: Bool { wasOpened && slaves == 0 }

    func abandon() {
        isAbandoned = true
        hangUp()
        slaveQueue.wake()
    }

    /// As Linux has it, a terminal whose output is stopped takes none.
    var isWritable: Bool { discipline.isWritable && !discipline.isStopped }

    // MARK: Bytes

    /// Takes bytes as typed by a user; how many of them.
    func type(_ bytes: UnsafeRawBufferPointer) -> Int {
        lastTyped = now()
        return change { discipline in
            var count = 0
            while count < bytes.count, discipline.wantsInput {
                if let signal = discipline.receive(bytes[count]) { raise(signal) }
                count += 1
            }
            return count
        }
    }

    /// Gives what was written to the terminal; how much.
    func show(into bytes: UnsafeMutableRawBufferPointer) -> Int {
        var count = 0
        while count < bytes.count, let byte = discipline.nextOutput() {
            bytes[count] = byte
            count += 1
        }
        if isWritable { slaveQueue.wake(.allWritable) }
        return count
    }

    func readLine(into bytes: UnsafeMutableRawBufferPointer) -> Int? {
        defer { if discipline.wantsInput { masterQueue.wake(.allWritable) } }
        return discipline.read(into: bytes)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        defer { if discipline.hasOutput { masterQueue.wake(.allReadable) } }
        return discipline.write(bytes)
    }

    private func wakeBoth() {
        if discipline.isReadable { slaveQueue.wake(.allReadable) }
        if isWritable { slaveQueue.wake(.allWritable) }
        if discipline.hasOutput || packets?.hasNews == true { masterQueue.wake() }
    }

    // MARK: Requests

    /// Changes modes or queues, and tells both sides what came of it.
    func change<Result>(_ body: (inout LineDiscipline) -> Result) -> Result {
        let before = discipline.modes.input.contains(.flowControl)
        let wasStopped = discipline.isStopped
        let result = body(&discipline)
        packets?.noteFlow(
            isStopped: discipline.isStopped,
            wasStopped: wasStopped,
            isControlled: discipline.modes.input.contains(.flowControl),
            wasControlled: before
        )
        wakeBoth()
        if discipline.wantsInput { masterQueue.wake(.allWritable) }
        return result
    }

    func setWindowSize(_ size: UInt64) {
        guard size != windowSize else { return }
        windowSize = size
        raise(.windowChange)
    }
}

/// What TIOCPKT adds to what is read at a master: ioctl_tty(2).
struct PacketMode {
    /// TIOCPKT_FLUSHREAD and so on; zero when there is nothing to tell.
    private var news: UInt8 = 0

    static var flushedInput: UInt8 { 1 }
    static var flushedOutput: UInt8 { 2 }
    private static var stopped: UInt8 { 4 }
    private static var started: UInt8 { 8 }
    private static var notControlled: UInt8 { 16 }
    private static var controlled: UInt8 { 32 }

    var hasNews: Bool { news != 0 }

    mutating func take() -> UInt8 {
        defer { news = 0 }
        return news
    }

    mutating func note(_ flushed: UInt8) { news |= flushed }

    mutating func noteFlow(
        isStopped: Bool,
        wasStopped: Bool,
        isControlled: Bool,
        wasControlled: Bool
    ) {
        if isStopped != wasStopped {
            news &= ~(Self.stopped | Self.started)
            news |= isStopped ? Self.stopped : Self.started
        }
        if isControlled != wasControlled {
            news &= ~(Self.controlled | Self.notControlled)
            news |= isControlled ? Self.controlled : Self.notControlled
        }
    }
}
