import NetStack
import Testing

/// Frames damaged in every way: none harms the stack, each is accounted for, and all that it sends is
/// in order.
@Suite struct MutationTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var value = state
            value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
            return value ^ value >> 31
        }
    }

    private static let originals: [[UInt8]] = [
        Frame.question(), Frame.answer, Frame.ping(), Frame.ping(0), Frame.ping(1472),
        Frame.question(from: (Host.peer, Host.address)),
        Frame.ethernet([8, 0], Frame.packet(Frame.echo(Frame.data(40)), options: Frame.data(8))),
    ]

    private func mutated(_ original: [UInt8], _ random: inout Generator) -> [UInt8] {
        var frame = original
        for _ in 0..<Int.random(in: 1...4, using: &random) where !frame.isEmpty {
            let index = Int.random(in: frame.indices, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: frame[index] = UInt8.random(in: 0...255, using: &random)
            case 1: frame[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            // Heads are where it matters.
            case 2:
                frame[index % min(frame.count, 42)] = [0, 1, 0x7f, 0x80, 0xff].randomElement(
                    using: &random
                )!
            case 3: frame.removeLast(frame.count - index)
            case 4: frame += Frame.data(Int.random(in: 0..<2000, using: &random))
            default: frame.swapAt(index, Int.random(in: frame.indices, using: &random))
            }
        }
        return frame
    }

    /// A mutation that is still taken must have right checksums: half of the packets get them again.
    private func repaired(_ frame: [UInt8]) -> [UInt8] {
        guard frame.count >= 34, frame[12..<14] == [8, 0] else { return frame }
        var frame = frame
        let headerEnd = min(14 + max(Int(frame[14] & 15) * 4, 20), frame.count)
        set(&frame, 24, 14..<headerEnd)
        let end = min(14 + Int(frame[16]) << 8 + Int(frame[17]), frame.count)
        if end >= headerEnd + 8 { set(&frame, headerEnd + 2, headerEnd..<end) }
        return frame
    }

    private func set(_ frame: inout [UInt8], _ offset: Int, _ range: Range<Int>) {
        frame[offset] = 0
        frame[offset + 1] = 0
        let sum = Frame.sum(Array(frame[range]))
        frame[offset] = UInt8(sum >> 8)
        frame[offset + 1] = UInt8(sum & 255)
    }

    /// Whether a host may send a frame.
    private func isInOrder(_ frame: [UInt8]) -> Bool {
        guard frame.count <= 1514, Array(frame[6..<12]) == Host.hardware else { return false }
        if frame[12..<14] == [8, 6] { return frame.count == 42 && frame[22..<28] == frame[6..<12] }
        let packet = Array(frame[14...])
        return frame[12..<14] == [8, 0] && Frame.sum(Array(packet[..<20])) == 0
            && Array(packet[12..<16]) == Host.address && Frame.sum(Array(packet[20...])) == 0
            && Int(packet[2]) << 8 + Int(packet[3]) == packet.count && packet[20] == 0
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func damagedFramesHarmNothing(seed: UInt64) {
        var random = Generator(state: seed)
        var host = Host()
        _ = host.start()
        var (answered, taken) = (0, 0)
        for round in 0..<4000 {
            let original = Self.originals.randomElement(using: &random)!
            var frame = mutated(original, &random)
            if round % 2 == 0 { frame = repaired(frame) }
            let sent = host.take(frame)
            taken += 1
            answered += sent.isEmpty ? 0 : 1
            #expect(sent.allSatisfy(isInOrder))
            if round % 16 == 0 {
                #expect(
                    host.wait(UInt64.random(in: 0..<Host.second, using: &random)).allSatisfy(
                        isInOrder
                    )
                )
            }
        }
        #expect(host.stack.counters.framesReceived == UInt64(taken))
        // Some were still right, and not all.
        #expect(answered > 200 && answered < 3800)
        // And it is as well as before.
        host.meetPeer()
        #expect(host.take(Frame.ping()).count == 1)
    }
}
