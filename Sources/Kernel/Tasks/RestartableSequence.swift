import LinuxABI

/// What a thread registered by rseq(2): a structure in its memory that tells the processor it runs on, and
/// the sequence of instructions it is in, which is to end or to begin anew.
///
/// There is one processor, with number zero, so nothing is to be told but at the registration. A sequence is
/// left for its abort handler whenever its thread was interrupted: more often than Linux does, which only
/// costs time.
public struct RestartableSequence {
    private var address: UInt = 0
    private var length: UInt32 = 0
    private var signature: UInt32 = 0

    private static var unregisters: UInt32 { 1 }
    /// Bytes, and the alignment, of the structure as it was at first.
    private static var originalSize: UInt32 { 32 }
    private static var cpuIDUninitialized: UInt32 { .max }
    private static var sequenceOffset: UInt { 8 }

    init() {}

    public var isRegistered: Bool { address != 0 }

    /// As rseq(2). Throws `invalidArgument`, `busy`, `notPermitted` for another signature, `badAddress`.
    public mutating func register(
        _ address: UInt,
        length: UInt32,
        flags: UInt32,
        signature: UInt32
    ) throws(Errno) {
        let isOwn = self.address == address && self.length == length
        guard flags != Self.unregisters else {
            guard isRegistered, isOwn else { throw .invalidArgument }
            guard self.signature == signature else { throw .notPermitted }
            try Self.tell(address, processor: Self.cpuIDUninitialized)
            self = RestartableSequence()
            return
        }
        guard flags == 0 else { throw .invalidArgument }
        guard !isRegistered else {
            guard isOwn else { throw .invalidArgument }
            throw self.signature == signature ? .busy : .notPermitted
        }
        guard length >= Self.originalSize, address & UInt(Self.originalSize - 1) == 0 else {
            throw .invalidArgument
        }
        try Self.tell(address, processor: 0)
        self.address = address
        self.length = length
        self.signature = signature
    }

    /// `cpu_id_start`, `cpu_id`, `node_id` and `mm_cid`.
    private static func tell(_ address: UInt, processor: UInt32) throws(Errno) {
        try UserPointer<UInt32>(address).store(0)
        try UserPointer<UInt32>(address &+ 4).store(processor)
        try UserPointer<UInt64>(address &+ 20).store(0)
    }

    /// `struct rseq_cs`
    private struct Sequence: BitwiseCopyable {
        var version: UInt32
        var flags: UInt32
        var start: UInt64
        var length: UInt64
        var abort: UInt64
    }

    /// Where an interrupted thread is to go on instead of `place`; nil when it is in no sequence.
    ///
    /// Throws `badAddress` or `invalidArgument` where the program's structures are wrong, which is to end
    /// in SIGSEGV.
    public func abort(at place: UInt64) throws(Errno) -> UInt64? {
        let pointer = UserPointer<UInt64>(address &+ Self.sequenceOffset)
        let description = try pointer.load()
        guard description != 0 else { return nil }
        let sequence = try UserPointer<Sequence>(UInt(description)).load()
        try pointer.store(0)
        guard place &- sequence.start < sequence.length else { return nil }
        let ends = sequence.start.addingReportingOverflow(sequence.length)
        guard sequence.version == 0, !ends.overflow,
            sequence.abort &- sequence.start >= sequence.length
        else { throw .invalidArgument }
        // The word before the handler says that it is one.
        guard try UserPointer<UInt32>(UInt(sequence.abort) &- 4).load() == signature else {
            throw .invalidArgument
        }
        return sequence.abort
    }
}
