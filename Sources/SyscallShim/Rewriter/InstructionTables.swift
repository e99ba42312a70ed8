/// What follows an opcode byte in 64-bit mode, one character each (AMD64 manual, volume 3,
/// appendix A). Strings, because their bytes are plain read-only data.
///
/// | character | operands |
/// |---|---|
/// | `.` | none |
/// | `M` `B` `Z` | ModRM; ModRM and an 8-bit immediate; ModRM and a 16 or 32-bit one |
/// | `b` `w` `z` `e` | immediate: 8 bits; 16; 16 or 32; 16 and then 8 (`enter`) |
/// | `v` | immediate as wide as the operand, 64 bits with REX.W |
/// | `j` `J` | relative branch: 8 bits; 32 bits |
/// | `o` | absolute address (`moffs`) |
/// | `c` | ModRM that always names registers |
/// | `t` `T` | ModRM, and an immediate (8; 16 or 32) when its register field is 0 or 1 |
/// | `s` | ModRM, and two 8-bit immediates under prefix 66 or F2 (SSE4a) |
/// | `p` | a prefix or an escape, handled before the table is asked |
/// | `x` | undefined |
enum InstructionTables {
    static let oneByte: StaticString = """
        MMMMbzxxMMMMbzxxMMMMbzxxMMMMbzxxMMMMbzpxMMMMbzpxMMMMbzpxMMMMbzpx\
        pppppppppppppppp................xxpMppppzZbB....jjjjjjjjjjjjjjjj\
        BZxBMMMMMMMMMMMM..........x.....oooo....bz......bbbbbbbbvvvvvvvv\
        BBw.ppBZe.w..bx.MMMMxxx.MMMMMMMMjjjjbbbbJJxj....p.pp..tT......MM
        """

    static let afterEscape: StaticString = """
        MMMMx.....x.xM.BMMMMMMMMMMMMMMMMccccxxxxMMMMMMMM......x.pxpxxxxx\
        MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMBBBBMMM.sMxxMMMM\
        JJJJJJJJJJJJJJJJMMMMMMMMMMMMMMMM...MBMMM...MBMMMMMMMMMMMMMBMMMMM\
        MMBMBBBM........MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM
        """

    @inline(__always)
    static func operands(_ table: StaticString, _ opcode: UInt8) -> UInt8 {
        table.utf8Start[Int(opcode)]
    }
}
