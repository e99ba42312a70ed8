import LinuxABI
import NetStack
import Platform

/// The machine's network: brings frames from its card to the protocols, and back.
public enum Network {
    /// Frames that are taken before the program, or another timer, has its turn.
    private static let budget = 64
    /// What a program that computes has in between, while more frames come than it leaves time for.
    fileprivate static let pause: Nanoseconds = .millisecond

    nonisolated(unsafe) private static var interface: NetworkInterface?
    nonisolated(unsafe) private static var hasStarted = false
    /// There are frames left that nobody takes by an interrupt.
    nonisolated(unsafe) static var isBehind = false

    /// What came and went; nil without a network.
    public static var counters: NetworkCounters? { interface?.stack.counters }

    /// Makes all that the network needs; nobody hears of it yet.
    ///
    /// - Parameter address: the host's, and how many bits of it are the network's; nil for no network.
    public static func prepare(_ address: (bits: UInt32, prefixLength: UInt32)?) {
        interface?.timer.stop()
        interface = nil
        hasStarted = false
        isBehind = false
        guard let address else { return }
        guard
            let own = IPv4Interface(
                address: IPv4Address(bits: address.bits),
                prefixLength: Int(address.prefixLength)
            )
        else { refuse("the launch record's network address is no host's") }
        var card = platform_card()
        guard machine.pointee.card_describe(&card) >= 0 else {
            refuse("the machine has no network card")
        }
        interface = NetworkInterface(card, own)
    }

    /// Begins to answer.
    static func start() {
        guard let interface else { return }
        hasStarted = true
        var card = Card()
        interface.stack.start(at: now(), &card)
        takeFrames()
    }

    /// Takes frames that came, as many as may be in one go. The rest waits for the next look of the idle
    /// loop, or a timer.
    public static func takeFrames() {
        guard let interface, hasStarted else { return }
        var card = Card()
        let time = now()
        isBehind = false
        for _ in 0..<budget {
            var frame: UnsafeRawPointer?
            let length = machine.pointee.card_receive(&frame)
            guard length > 0 else {
                if length < 0 { lose() }
                return interface.setTimer()
            }
            let bytes = UnsafeRawBufferPointer(start: frame, count: Int(length))
            interface.stack.receive(bytes.bytes, at: time, &card)
        }
        isBehind = true
        interface.setTimer()
    }

    /// The card is broken; the program goes on without.
    private static func lose() {
        hasStarted = false
        writeToStandardError(
            "unirun: the network card did what no device may do: the network is gone\n"
        )
    }

    fileprivate static func runTimers(at time: Nanoseconds) {
        guard let interface, hasStarted else { return }
        var card = Card()
        interface.stack.run(at: time, &card)
        if isBehind { takeFrames() } else { interface.setTimer() }
    }
}

/// The protocols of the card, and the timer that they run by.
private final class NetworkInterface {
    var stack: NetworkStack
    let timer = NetworkTimer()

    init(_ card: platform_card, _ own: IPv4Interface) {
        let (a, b, c, d, e, f) = card.address
        let high = UInt16(a) << 8 | UInt16(b)
        let low = UInt32(c) << 24 | UInt32(d) << 16 | UInt32(e) << 8 | UInt32(f)
        stack = NetworkStack(
            NetworkStack.Configuration(
                hardware: EthernetAddress(high, low),
                interface: own,
                packetLimit: Int(card.packet_limit)
            )
        )
    }

    /// Sets the timer to what is to be done next.
    func setTimer() {
        let behind = Network.isBehind ? now() &+ Network.pause : .never
        let deadline = min(stack.nextDeadline, behind)
        guard deadline != timer.deadline || !timer.isRunning else { return }
        timer.stop()
        if deadline != .never { TimerQueue.shared.start(timer, at: deadline) }
    }
}

private final class NetworkTimer: Timer {
    override func expired(at time: Nanoseconds) { Network.runTimers(at: time) }

    func stop() { TimerQueue.shared.stop(self) }
}

/// The card as the protocols send to it.
private struct Card: FrameSink {
    mutating func send(length: Int, _ write: (inout MutableRawSpan) -> Void) -> Bool {
        guard let room = machine.pointee.card_room() else { return false }
        let bytes = UnsafeMutableRawBufferPointer(start: room, count: length)
        var span = bytes.mutableBytes
        write(&span)
        machine.pointee.card_send(UInt64(length))
        return true
    }
}
