/// The protocols of one card, as a state machine: it takes frames and the time, and gives frames. Nothing
/// else goes in or out, and whatever a frame holds is only ever counted and dropped, or answered.
///
/// Times are nanoseconds of a clock that only goes forward.
public struct NetworkStack {
    /// How the card is addressed.
    public struct Configuration: Sendable {
        public var hardware: EthernetAddress
        public var interface: IPv4Interface
        /// Bytes of the longest packet in a frame.
        public var packetLimit: Int

        public init(hardware: EthernetAddress, interface: IPv4Interface, packetLimit: Int) {
            self.hardware = hardware
            self.interface = interface
            self.packetLimit = packetLimit
        }
    }

    public internal(set) var counters = NetworkCounters()
    let configuration: Configuration
    var neighbours: NeighbourTable
    /// Announcements that are still to be made (RFC 5227, section 2.3), and when.
    private var announcements = 0
    private var nextAnnouncement = UInt64.max
    /// When the address was last defended against another host.
    var defendedAt: UInt64?

    private static var announcementPause: UInt64 { 2_000_000_000 }
    static var defencePause: UInt64 { 10_000_000_000 }

    public init(_ configuration: Configuration) {
        self.configuration = configuration
        neighbours = NeighbourTable(slotSize: EthernetHeader.byteCount + configuration.packetLimit)
    }

    // MARK: Time

    /// Tells the others of this host's address; called once.
    public mutating func start<Sink: FrameSink>(at time: UInt64, _ sink: inout Sink) {
        announcements = 2
        nextAnnouncement = time
        run(at: time, &sink)
    }

    /// When `run` has something to do; `.max` for never.
    public var nextDeadline: UInt64 { min(nextAnnouncement, neighbours.nextDeadline) }

    /// Does what is due.
    public mutating func run<Sink: FrameSink>(at time: UInt64, _ sink: inout Sink) {
        if nextAnnouncement <= time {
            announcements -= 1
            nextAnnouncement = announcements > 0 ? time &+ Self.announcementPause : .max
            announce(&sink)
        }
        var lost: UInt64 = 0
        while let question = neighbours.nextQuestion(at: time, lost: { lost += 1 }) {
            ask(question, &sink)
        }
        counters.unreachable &+= lost
    }

    // MARK: Frames

    /// Takes a frame that came.
    public mutating func receive<Sink: FrameSink>(
        _ frame: RawSpan,
        at time: UInt64,
        _ sink: inout Sink
    ) {
        counters.framesReceived &+= 1
        let limit = EthernetHeader.byteCount + configuration.packetLimit
        guard frame.byteCount <= limit, let header = EthernetHeader(frame), header.source.isOne
        else {
            counters.malformed &+= 1
            return
        }
        let isToAll = header.destination == .broadcast
        guard isToAll || header.destination == configuration.hardware else {
            counters.notForUs &+= 1
            return
        }
        switch header.type {
        case EthernetHeader.arp: receiveARP(frame, at: time, &sink)
        case EthernetHeader.ipv4: receiveIPv4(frame, isToAll: isToAll, at: time, &sink)
        default: counters.unknownProtocol &+= 1
        }
    }

    mutating func send<Sink: FrameSink>(
        length: Int,
        _ sink: inout Sink,
        _ write: (inout MutableRawSpan) -> Void
    ) {
        if sink.send(length: length, write) {
            counters.framesSent &+= 1
        } else {
            counters.framesUnsent &+= 1
        }
    }
}
