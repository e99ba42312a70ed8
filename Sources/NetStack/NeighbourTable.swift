/// The Ethernet addresses of hosts on the same network, as ARP tells them (RFC 826; RFC 1122, section
/// 2.3.2), and the last packet for each that has not told its own yet. Nothing here grows: the host that
/// was used least recently makes room.
struct NeighbourTable {
    /// What is to be asked, and whom: all, or the one that is taken to have the address still.
    struct Question: Equatable {
        var address: IPv4Address
        var hardware: EthernetAddress
    }

    private struct Neighbour {
        var address: IPv4Address
        /// Nil until it has told.
        var hardware: EthernetAddress?
        var usedAt: UInt64
        /// From then on it is asked again when it is used.
        var validUntil: UInt64 = 0
        /// `.max` while nothing is asked.
        var nextQuestion = UInt64.max
        var questions = 0
        /// Where the packet for it waits.
        var slot: Int?
        var waitingSize = 0
    }

    static var limit: Int { 64 }
    static var slotCount: Int { 8 }
    /// Nanoseconds that an answer holds.
    static var lifetime: UInt64 { 60_000_000_000 }
    static var questionPause: UInt64 { 1_000_000_000 }
    static var questionLimit: Int { 3 }

    private var neighbours: [Neighbour] = []
    private var waiting: [UInt8]
    private var freeSlots: UInt32
    private let slotSize: Int

    /// - Parameter slotSize: bytes of the longest frame.
    init(slotSize: Int) {
        self.slotSize = slotSize
        neighbours.reserveCapacity(Self.limit)
        waiting = [UInt8](repeating: 0, count: Self.slotCount * slotSize)
        freeSlots = 1 << UInt32(Self.slotCount) - 1
    }

    var count: Int { neighbours.count }

    /// When `nextQuestion` has something to say.
    var nextDeadline: UInt64 { neighbours.reduce(.max) { min($0, $1.nextQuestion) } }

    private func index(of address: IPv4Address) -> Int? {
        neighbours.firstIndex { $0.address == address }
    }

    // MARK: Using

    /// The address of a host, if it is known, and what has to be asked now.
    mutating func find(_ address: IPv4Address, at time: UInt64)
        -> (hardware: EthernetAddress?, question: Question?)
    {
        let index = index(of: address) ?? add(address, at: time)
        neighbours[index].usedAt = time
        let isAsked = neighbours[index].nextQuestion != .max
        guard !isAsked, neighbours[index].validUntil <= time else {
            return (neighbours[index].hardware, nil)
        }
        return (neighbours[index].hardware, ask(index, at: time))
    }

    /// Keeps a frame for a host whose address is being asked for, in the place of one that is kept
    /// already; false when there is no room. Its first six bytes are set later.
    mutating func keep(
        for address: IPv4Address,
        length: Int,
        _ write: (inout MutableRawSpan) -> Void
    ) -> (isKept: Bool, isAnotherLost: Bool) {
        guard let index = index(of: address), length <= slotSize else { return (false, false) }
        let isAnotherLost = neighbours[index].slot != nil
        guard let slot = neighbours[index].slot ?? takeSlot() else { return (false, false) }
        neighbours[index].slot = slot
        neighbours[index].waitingSize = length
        withPart(slot * slotSize..<slot * slotSize + length, of: &waiting, write)
        return (true, isAnotherLost)
    }

    private mutating func takeSlot() -> Int? {
        guard freeSlots != 0 else { return nil }
        let slot = freeSlots.trailingZeroBitCount
        freeSlots &= freeSlots - 1
        return slot
    }

    // MARK: Learning

    /// Takes what a host told of itself. One that nobody asked about is taken in only where `isWanted`.
    mutating func learn(
        _ address: IPv4Address,
        _ hardware: EthernetAddress,
        isWanted: Bool,
        at time: UInt64
    ) {
        guard let index = index(of: address) ?? (isWanted ? add(address, at: time) : nil) else {
            return
        }
        neighbours[index].hardware = hardware
        neighbours[index].validUntil = time &+ Self.lifetime
        neighbours[index].nextQuestion = .max
        neighbours[index].questions = 0
    }

    /// Takes out the frame that waits for a host whose address is known now; its length, and zero when
    /// there is none.
    mutating func takeWaiting(
        for address: IPv4Address,
        _ body: (RawSpan, EthernetAddress) -> Void
    ) {
        guard let index = index(of: address), let slot = neighbours[index].slot,
            let hardware = neighbours[index].hardware
        else { return }
        body(
            waiting.span.bytes.extracting(
                slot * slotSize..<slot * slotSize + neighbours[index].waitingSize
            ),
            hardware
        )
        freeSlot(of: index)
    }

    private mutating func freeSlot(of index: Int) {
        guard let slot = neighbours[index].slot else { return }
        freeSlots |= 1 << UInt32(slot)
        neighbours[index].slot = nil
    }

    // MARK: Asking

    private mutating func ask(_ index: Int, at time: UInt64) -> Question {
        neighbours[index].questions += 1
        neighbours[index].nextQuestion = time &+ Self.questionPause
        // The last time it may have got another card.
        let isLast = neighbours[index].questions == Self.questionLimit
        let known = isLast ? nil : neighbours[index].hardware
        return Question(address: neighbours[index].address, hardware: known ?? .broadcast)
    }

    /// What is to be asked again by now; hosts that never answered are forgotten.
    ///
    /// - Parameter lost: is called for each packet that waited in vain.
    mutating func nextQuestion(at time: UInt64, lost: () -> Void) -> Question? {
        while let index = neighbours.firstIndex(where: { $0.nextQuestion <= time }) {
            guard neighbours[index].questions == Self.questionLimit else {
                return ask(index, at: time)
            }
            if neighbours[index].slot != nil { lost() }
            remove(index)
        }
        return nil
    }

    private mutating func add(_ address: IPv4Address, at time: UInt64) -> Int {
        if neighbours.count == Self.limit { remove(leastUsed) }
        neighbours.append(Neighbour(address: address, hardware: nil, usedAt: time))
        return neighbours.count - 1
    }

    private var leastUsed: Int {
        var least = 0
        for index in neighbours.indices
        where neighbours[index].usedAt < neighbours[least].usedAt {
            least = index
        }
        return least
    }

    private mutating func remove(_ index: Int) {
        freeSlot(of: index)
        neighbours.swapAt(index, neighbours.count - 1)
        neighbours.removeLast()
    }
}
